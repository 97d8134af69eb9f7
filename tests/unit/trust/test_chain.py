"""Trust statements and their chain: what two roots can change, and one cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.domain.errors import BadInput
from gprov.domain.trust.chain import (
    MAX_CHAIN,
    SignedStatement,
    TrustChain,
    check_chain,
    missing_signatures,
    parse_chain,
    serialise_chain,
)
from gprov.domain.trust.statement import (
    MAX_STATEMENT,
    Revoked,
    Statement,
    parse_statement,
    role_of,
    serialise_statement,
)
from tests.unit.trust.owner import (
    FIRST,
    ROOT_A,
    ROOT_B,
    ROOT_C,
    ROOT_D,
    SECOND_SIGNER,
    SIGNER,
    STRANGER,
    OwnerKey,
    chain_of,
    first_chain,
    next_statement,
    signed,
)

VERIFIER = PythonVerifier()
DIGEST = "0123456789abcdef" * 4
KEYS = st.lists(st.text(max_size=3).map(OwnerKey), min_size=2, max_size=7, unique_by=lambda key: key.public.number)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    keys = [key.public for key in draw(KEYS)]
    signers = draw(st.integers(0, len(keys) - 2))
    digests = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=2).map(tuple)
    return Statement(
        draw(st.integers(1, 2**31 - 1)),
        (keys[0], keys[1]),
        tuple(keys[2 : 2 + signers]),
        tuple(Revoked(key, draw(digests)) for key in keys[2 + signers :]),
    )


def checked(*statements: SignedStatement) -> TrustChain:
    """As from a file."""
    return check_chain("c", parse_chain("c", serialise_chain(chain_of(*statements))), VERIFIER)


def chain_problems(*statements: SignedStatement) -> list[str]:
    with pytest.raises(BadInput) as caught:
        checked(*statements)
    return [str(one) for one in caught.value.problems]


def statement_problems(**values: object) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_statement("s", json.dumps({**json.loads(serialise_statement(FIRST)), **values}).encode())
    return [str(one) for one in caught.value.problems]


@given(statements())
def test_a_statement_is_read_as_written(statement: Statement) -> None:
    assert parse_statement("s", serialise_statement(statement)) == statement


def test_what_is_wrong_in_a_statement_is_named() -> None:
    a, b, s = ROOT_A.public, ROOT_B.public, SIGNER.public
    assert statement_problems(Format=2) == ["$.Format: must be 1..1, is 2"]
    assert statement_problems(Kind="x") == ["$.Kind: must be 'gprov trust statement'"]
    assert statement_problems(Version=0) == ["$.Version: must be 1..2147483647, is 0"]
    assert statement_problems(Roots=[a.text]) == ["$.Roots: must be 2 keys, are 1"]
    assert statement_problems(Roots=[a.text, b.text, ROOT_C.public.text]) == ["$.Roots: must be 2 keys, are 3"]
    assert statement_problems(Roots=[a.text, a.text]) == ["$.Roots[1]: has the same id as $.Roots[0]"]
    assert statement_problems(Signers=[s.text, a.text]) == ["$.Signers[1]: has the same id as $.Roots[0]"]
    other = replace(s, number=bytes(8))
    assert statement_problems(Signers=[s.text, other.text]) == ["$.Signers[1]: has the same key as $.Signers[0]"]
    assert statement_problems(Signers=["x"], Revoked=[{"Key": s.text, "Keep": ["x", DIGEST]}]) == [
        "$.Signers[0]: is not base64",
        "$.Revoked[0].Keep[0]: must be 64 hexadecimal digits in lower case, is 'x'",
    ]
    assert statement_problems(Revoked=[{"Key": s.text, "Keep": []}]) == [
        "$.Revoked[0].Key: has the same id as $.Signers[0]"
    ]
    assert statement_problems(Roots=["", a.text]) == ["$.Roots[0]: must hold 42 bytes, holds 0"]
    assert statement_problems(Version=0, Roots=[]) == [
        "$.Version: must be 1..2147483647, is 0",
        "$.Roots: must be 2 keys, are 0",
    ]
    assert statement_problems(Revoked=[{}]) == ["$.Revoked[0].Key: is missing", "$.Revoked[0].Keep: is missing"]


def test_a_statement_of_another_size_or_kind() -> None:
    for data, problem in ((bytes(MAX_STATEMENT + 1), "has more than"), (b"[]", "must be an object")):
        with pytest.raises(BadInput, match=problem):
            parse_statement("s", data)


def test_a_statement_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(BadInput, match="same id"):
        serialise_statement(replace(FIRST, signers=(ROOT_A.public,)))


def test_the_first_statement_needs_both_roots() -> None:
    assert checked(signed(FIRST, ROOT_A, ROOT_B)).current == FIRST
    for roots in ((), (ROOT_A,), (ROOT_B,)):
        found = chain_problems(signed(FIRST, *roots))
        assert all("lack a valid one of the root" in problem for problem in found)
        assert len(found) == 2 - len(roots)


@pytest.mark.parametrize("roots", [*combinations((ROOT_A, ROOT_B, STRANGER, SIGNER), 2)])
def test_only_both_roots_together_change_anything(roots: tuple[OwnerKey, OwnerKey]) -> None:
    later = signed(next_statement(FIRST, signers=(SIGNER, SECOND_SIGNER)), *roots)
    if roots == (ROOT_A, ROOT_B):
        assert checked(signed(FIRST, ROOT_A, ROOT_B), later).version == 2
    else:
        assert chain_problems(signed(FIRST, ROOT_A, ROOT_B), later)


def test_one_root_cannot_sign_twice() -> None:
    later = signed(next_statement(FIRST, signers=(SIGNER, STRANGER)), ROOT_A, ROOT_A)
    assert chain_problems(signed(FIRST, ROOT_A, ROOT_B), later) == [
        f"$.Statements[1].Signatures[1]: is the second one of the key {ROOT_A.public.key_id}",
        f"$.Statements[1].Signatures: lack a valid one of the root {ROOT_B.public.key_id}",
    ]


def test_a_key_with_the_number_of_a_root_is_not_that_root() -> None:
    forged = OwnerKey("forged")
    forged.public = replace(forged.public, number=ROOT_B.public.number)
    later = signed(next_statement(FIRST, signers=(SIGNER, STRANGER)), ROOT_A, forged)
    assert chain_problems(signed(FIRST, ROOT_A, ROOT_B), later) == [
        f"$.Statements[1].Signatures[1]: is not that of the key {ROOT_B.public.key_id} over this content",
        f"$.Statements[1].Signatures: lack a valid one of the root {ROOT_B.public.key_id}",
    ]


OLD_AND_NEW = (ROOT_A, ROOT_B, ROOT_C, ROOT_D)


@pytest.mark.parametrize("count", range(5))
def test_new_roots_need_all_old_and_all_new_ones(count: int) -> None:
    later = next_statement(FIRST, roots=(ROOT_C, ROOT_D))
    for roots in combinations(OLD_AND_NEW, count):
        if count == 4:
            assert checked(signed(FIRST, ROOT_A, ROOT_B), signed(later, *roots)).current.roots == later.roots
        else:
            found = chain_problems(signed(FIRST, ROOT_A, ROOT_B), signed(later, *roots))
            assert len(found) == 4 - count


def test_one_root_is_replaced_by_three_keys() -> None:
    later = signed(next_statement(FIRST, roots=(ROOT_A, ROOT_C)), ROOT_A, ROOT_B, ROOT_C)
    chain = checked(signed(FIRST, ROOT_A, ROOT_B), later)
    third = next_statement(later.statement, signers=(SIGNER, SECOND_SIGNER))
    assert checked(*chain.statements, signed(third, ROOT_A, ROOT_C)).version == 3
    assert chain_problems(*chain.statements, signed(third, ROOT_A, ROOT_B))  # a former root has no say


def test_missing_signatures_are_those_of_roots_that_have_not_signed() -> None:
    later = signed(next_statement(FIRST, roots=(ROOT_A, ROOT_C)), ROOT_B)
    assert missing_signatures(later, FIRST) == (ROOT_A.public, ROOT_C.public)
    assert missing_signatures(signed(later.statement, ROOT_B, ROOT_C), FIRST) == (ROOT_A.public,)
    assert missing_signatures(signed(FIRST, ROOT_B), None) == (ROOT_A.public,)


def test_versions_follow_each_other() -> None:
    for version in (1, 3):
        later = signed(replace(next_statement(FIRST), version=version), ROOT_A, ROOT_B)
        assert chain_problems(signed(FIRST, ROOT_A, ROOT_B), later) == [
            f"$.Statements[1]: must have version 2, which follows the one before, has {version}"
        ]


def test_a_chain_after_a_lost_root_begins_with_a_higher_version() -> None:
    assert checked(signed(replace(FIRST, version=7), ROOT_A, ROOT_B)).version == 7


def test_what_was_revoked_stays_revoked() -> None:
    second = next_statement(FIRST, signers=(SECOND_SIGNER,), revoked=(Revoked(SIGNER.public, (DIGEST,)),))
    again = next_statement(second, signers=(SECOND_SIGNER, SIGNER), revoked=())
    both = (signed(FIRST, ROOT_A, ROOT_B), signed(second, ROOT_A, ROOT_B))
    assert checked(*both).version == 2
    assert chain_problems(*both, signed(again, ROOT_A, ROOT_B)) == [
        f"$.Statements[2]: no longer revokes {SIGNER.public.key_id}: a key that was revoked stays revoked"
    ]
    # What is kept of it may change.
    less = next_statement(second, revoked=(Revoked(SIGNER.public),))
    assert checked(*both, signed(less, ROOT_A, ROOT_B)).version == 3


def test_a_signer_is_not_left_out_without_being_revoked() -> None:
    later = signed(next_statement(FIRST, signers=(SECOND_SIGNER,)), ROOT_A, ROOT_B)
    assert chain_problems(signed(FIRST, ROOT_A, ROOT_B), later) == [
        f"$.Statements[1]: leaves out the signer {SIGNER.public.key_id}: revoke it, and keep what stays good"
    ]


def test_more_signatures_than_roots_can_make() -> None:
    """Each costs the time of a check."""
    one = signed(FIRST, *[ROOT_A] * 5)
    assert chain_problems(one) == ["$.Statements[0].Signatures: must be at most 4, are 5"]


def test_nothing_is_checked_behind_a_statement_that_is_not_valid() -> None:
    unsigned = [signed(replace(FIRST, version=number)) for number in range(1, 5)]
    assert {one.partition(":")[0] for one in chain_problems(*unsigned)} == {"$.Statements[0].Signatures"}


def test_changed_statements_are_noticed() -> None:
    one = signed(FIRST, ROOT_A, ROOT_B)
    content = one.content.replace(b'"Version": 1', b'"Version": 2')
    assert len(chain_problems(replace(one, content=content))) == 4


def test_whether_two_chains_rest_on_the_same_statement() -> None:
    one = checked(signed(FIRST, ROOT_A, ROOT_B))
    longer = checked(*one.statements, signed(next_statement(FIRST), ROOT_A, ROOT_B))
    other = checked(signed(next_statement(FIRST), ROOT_A, ROOT_B))
    assert longer.begins_as(one)
    assert not other.begins_as(one)


def test_whether_a_chain_continues_another() -> None:
    one = checked(signed(FIRST, ROOT_A, ROOT_B))
    longer = checked(*one.statements, signed(next_statement(FIRST), ROOT_A, ROOT_B))
    other = checked(*one.statements, signed(next_statement(FIRST, signers=(SIGNER, SECOND_SIGNER)), ROOT_A, ROOT_B))
    assert longer.continues(one)
    assert longer.continues(longer)
    assert not one.continues(longer)
    assert not other.continues(longer)


def test_the_form_of_a_chain_and_of_a_statement() -> None:
    """What was signed are these bytes; people read them."""
    chain = serialise_chain(first_chain())
    assert chain == json.dumps(json.loads(chain), indent=1).encode() + b"\n"
    assert list(json.loads(chain)) == ["Format", "Statements"]
    assert json.loads(chain)["Format"] == 1
    statement = serialise_statement(replace(FIRST, revoked=(Revoked(STRANGER.public, (DIGEST,)),)))
    assert json.loads(statement) == {
        "Format": 1,
        "Kind": "gprov trust statement",
        "Version": 1,
        "Roots": [ROOT_A.public.text, ROOT_B.public.text],
        "Signers": [SIGNER.public.text],
        "Revoked": [{"Key": STRANGER.public.text, "Keep": [DIGEST]}],
    }
    assert statement == json.dumps(json.loads(statement), indent=1).encode() + b"\n"


def test_the_largest_documents_and_numbers() -> None:
    chain, statement = serialise_chain(first_chain()), serialise_statement(replace(FIRST, version=2**31 - 1))
    assert (MAX_CHAIN, MAX_STATEMENT) == (1048576, 262144)
    assert parse_chain("c", chain + b" " * (MAX_CHAIN - len(chain))) == first_chain()
    assert parse_statement("s", statement + b" " * (MAX_STATEMENT - len(statement))).version == 2147483647
    assert statement_problems(Version=2**31) == ["$.Version: must be 1..2147483647, is 2147483648"]


def test_one_kind_of_document_is_not_taken_for_the_other() -> None:
    with pytest.raises(BadInput, match="c: is no trust chain, but a statement: gprov keys join makes a chain of it"):
        parse_chain("c", serialise_statement(FIRST))
    with pytest.raises(BadInput, match="s: is no trust statement, but a trust chain"):
        parse_statement("s", serialise_chain(first_chain()))
    for data in (b'{"Kind": "x", "Statements": []}', b"{}"):
        with pytest.raises(BadInput, match="Format: is missing"):
            parse_chain("c", data)
        with pytest.raises(BadInput, match="Format: is missing"):
            parse_statement("s", data)


def test_problems_of_several_keys_are_in_the_order_of_their_ids() -> None:
    keys = [OwnerKey(f"key {number}") for number in range(4)]
    signers = [one.public for one in keys]
    second = replace(FIRST, version=2, signers=(), revoked=tuple(Revoked(one) for one in (*signers, SIGNER.public)))
    third = replace(second, version=3, revoked=())
    first = replace(FIRST, signers=(*signers, SIGNER.public))
    ids = sorted(one.key.key_id for one in second.revoked)
    both = (signed(first, ROOT_A, ROOT_B), signed(second, ROOT_A, ROOT_B))
    assert chain_problems(*both, signed(third, ROOT_A, ROOT_B)) == [
        f"$.Statements[2]: no longer revokes {one}: a key that was revoked stays revoked" for one in ids
    ]
    without = signed(replace(first, version=2, signers=()), ROOT_A, ROOT_B)
    assert chain_problems(both[0], without) == [
        f"$.Statements[1]: leaves out the signer {one}: revoke it, and keep what stays good" for one in ids
    ]


@pytest.mark.parametrize("digest", ["0" * 63, "0" * 65, "0" * 63 + "F", "g" * 64, "0" * 90])
def test_digests_that_are_none(digest: str) -> None:
    revoked = [{"Key": STRANGER.public.text, "Keep": [DIGEST, digest]}]
    place = "$.Revoked[0].Keep[1]"
    assert statement_problems(Revoked=revoked) == [
        f"{place}: must be 64 hexadecimal digits in lower case, is {digest[:80]!r}"
    ]


def test_the_role_of_a_key() -> None:
    statement = replace(FIRST, revoked=(Revoked(STRANGER.public),))
    keys = (ROOT_A, ROOT_B, SIGNER, STRANGER, ROOT_C)
    roles = [role_of(statement, key.public) for key in keys]
    assert roles == ["root", "root", "signer", "revoked signer", ""]
    # By the id, whatever key it is of.
    assert role_of(statement, replace(ROOT_C.public, number=SIGNER.public.number)) == "signer"


def test_a_chain_is_read_as_written() -> None:
    chain = first_chain()
    assert parse_chain("c", serialise_chain(chain)) == chain


def test_what_is_wrong_in_a_chain_is_named() -> None:
    def problems(data: bytes) -> list[str]:
        with pytest.raises(BadInput) as caught:
            parse_chain("c", data)
        return [str(one) for one in caught.value.problems]

    assert problems(b'{"Format": 1, "Statements": []}') == ["$.Statements: must have one statement at least"]
    assert problems(b"{}") == ["$.Format: is missing", "$.Statements: is missing"]
    wrong = {"Format": 1, "Statements": [{"Statement": "%", "Signatures": ["x"]}, {"Statement": "e30="}]}
    found = problems(json.dumps(wrong).encode())
    assert found[0] == "$.Statements[0].Statement: is not base64"
    assert found[1].startswith("$.Statements[0].Signatures[0]: ")
    assert "$.Statements[1].Signatures: is missing" in found
    assert "$.Statements[1].Statement: $.Roots: is missing" in found
    assert problems(b'{"Format": 1, "Statements": [{"Signatures": []}]}') == ["$.Statements[0].Statement: is missing"]
    assert problems(bytes(MAX_CHAIN + 1)) == [f"has more than {MAX_CHAIN} bytes"]
