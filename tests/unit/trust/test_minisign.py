"""Keys and signatures in minisign's format. (The tool itself: tests/integ/trust.)"""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.domain.errors import BadInput
from gprov.domain.formats.minisign import (
    PublicKey,
    Signature,
    parse_key_text,
    parse_public_key,
    parse_signature,
    serialise_public_key,
    serialise_signature,
)
from gprov.domain.trust.keys import key_of, signature_problem
from tests.unit.trust.owner import SIGNER, STRANGER, OwnerKey

VERIFIER = PythonVerifier()
CONTENT = b"what is signed"
# A signature and its key, made by minisign 0.11 (-S with its default, the digest; and -S -l) over b"abc\n".
COMMENTS = st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=50)
WORDS = st.text(max_size=5)


def problems(content: bytes) -> tuple[str, ...]:
    with pytest.raises(BadInput) as caught:
        parse_signature("a.minisig", content)
    return tuple(map(str, caught.value.problems))


def with_line(content: bytes, number: int, line: str) -> bytes:
    lines = content.decode().split("\n")
    lines[number - 1] = line
    return "\n".join(lines).encode()


@given(WORDS)
def test_a_key_is_read_as_written(word: str) -> None:
    key = OwnerKey(word).public
    assert parse_public_key("k.pub", serialise_public_key(key)) == key
    assert parse_key_text("k.pub", key.text) == key
    assert key.key_id == key.number[::-1].hex().upper()


@given(st.binary(max_size=100), COMMENTS, COMMENTS)
def test_a_signature_is_read_as_written(content: bytes, comment: str, trusted: str) -> None:
    made = SIGNER.signature(content, trusted)
    one = Signature(
        number=made.number,
        signature=made.signature,
        trusted_comment=trusted,
        global_signature=made.global_signature,
        comment=comment,
    )
    assert parse_signature("a.minisig", serialise_signature(one)) == one
    assert signature_problem(SIGNER.public, one, content, VERIFIER) == ""


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_line_ends_of_other_systems(end: bytes) -> None:
    content = SIGNER.sign(CONTENT, "said").replace(b"\n", b"\r\n").removesuffix(b"\r\n") + end
    assert parse_signature("a.minisig", content) == SIGNER.signature(CONTENT, "said")


def test_a_trusted_comment_is_signed() -> None:
    content = SIGNER.sign(CONTENT, "version 1")
    one = parse_signature("a.minisig", content.replace(b"version 1", b"version 2"))
    assert signature_problem(SIGNER.public, one, CONTENT, VERIFIER) == "has a trusted comment that was changed"


def test_a_signature_over_something_else() -> None:
    one = SIGNER.signature(CONTENT)
    assert "not that of the key" in signature_problem(SIGNER.public, one, CONTENT + b" ", VERIFIER)


def test_a_signature_of_another_key() -> None:
    one = STRANGER.signature(CONTENT)
    assert "is of the key" in signature_problem(SIGNER.public, one, CONTENT, VERIFIER)
    claimed = PublicKey(STRANGER.public.number, SIGNER.public.key)
    assert "not that of the key" in signature_problem(claimed, one, CONTENT, VERIFIER)


def test_the_key_that_a_signature_names() -> None:
    assert key_of(SIGNER.signature(CONTENT), (STRANGER.public, SIGNER.public)) == SIGNER.public
    assert key_of(SIGNER.signature(CONTENT), (STRANGER.public,)) is None


def test_a_legacy_signature_is_refused() -> None:
    content = SIGNER.sign(CONTENT)
    data = b64decode(content.split(b"\n")[1])
    legacy = with_line(content, 2, b64encode(b"Ed" + data[2:]).decode())
    assert problems(legacy) == (
        "line 2: is a legacy signature, over the file itself: minisign -S makes one without -l",
    )
    assert "has the algorithm" in problems(with_line(content, 2, b64encode(b"XX" + data[2:]).decode()))[0]


def test_all_problems_with_their_lines() -> None:
    content = SIGNER.sign(CONTENT)
    assert problems(with_line(with_line(content, 2, "%"), 4, "QUJD")) == (
        "line 2: is not base64",
        "line 4: must hold 64 bytes, holds 3",
    )
    assert problems(with_line(with_line(content, 1, "x"), 3, "y")) == (
        "line 1: must begin with 'untrusted comment: '",
        "line 3: must begin with 'trusted comment: '",
    )
    assert problems(content + b"more\n") == ("must have 4 lines, has 5",)
    assert problems(content.replace(b"trusted", b"tr\xffusted")) == ("byte 4: is not UTF-8",)
    assert "more than a key or signature" in problems(bytes(40000))[0]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"Ed" + bytes(8) + b"\1" + bytes(31), "small order"),
        (b"Ed" + bytes(8) + b"\xff" * 32, "not in canonical form"),
        (b"XX" + bytes(8) + b"\2" + bytes(31), "has the algorithm b'XX'"),
        (b"Ed" + bytes(39), "must hold 42 bytes, holds 41"),
    ],
)
def test_keys_that_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        parse_key_text("k.pub", b64encode(data).decode())


def test_the_largest_file() -> None:
    """minisign writes comments of any length, up to this one."""
    shortest = SIGNER.sign(CONTENT, "")
    largest = SIGNER.sign(CONTENT, "x" * (32768 - len(shortest)))
    assert parse_signature("a.minisig", largest).trusted_comment.endswith("xx")
    assert problems(SIGNER.sign(CONTENT, "x" * (32769 - len(shortest)))) == (
        "has 32769 bytes, more than a key or signature can have",
    )


def test_a_key_file_as_minisign_writes_it() -> None:
    key = PublicKey(bytes.fromhex("0102030405060708"), SIGNER.public.key)
    line = b64encode(b"Ed" + bytes.fromhex("0102030405060708") + SIGNER.public.key)
    content = b"untrusted comment: minisign public key 0807060504030201\n" + line + b"\n"
    assert serialise_public_key(key) == content
    assert parse_public_key("k.pub", content) == key
    with pytest.raises(BadInput, match=r"k\.pub: line 1: must begin with 'untrusted comment: '"):
        parse_public_key("k.pub", content[1:])
    with pytest.raises(BadInput, match=r"k\.pub: line 2: is not base64"):
        parse_public_key("k.pub", content.replace(line, b"%"))
    with pytest.raises(BadInput, match=r"k\.pub: must have 2 lines, has 3"):
        parse_public_key("k.pub", content + b"x")
    assert PublicKey(bytes(8), b"").key_id == "0" * 16


def test_a_signature_file_as_minisign_writes_it() -> None:
    one = SIGNER.signature(CONTENT, "said")
    first = b64encode(b"ED" + one.number + one.signature)
    assert serialise_signature(one) == b"\n".join(
        (
            b"untrusted comment: signature from gprov secret key", first, b"trusted comment: said",
            b64encode(one.global_signature), b"",
        )
    )  # fmt: skip
    assert one.key_id == SIGNER.public.key_id


def test_a_key_in_a_document_is_named_by_its_place() -> None:
    with pytest.raises(BadInput) as caught:
        parse_key_text("d.json", "%", "$.Roots[0]")
    assert [str(one) for one in caught.value.problems] == ["$.Roots[0]: is not base64"]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_bad_input(content: bytes) -> None:
    for parse in (parse_public_key, parse_signature):
        with pytest.raises(BadInput):
            parse("any", content)
