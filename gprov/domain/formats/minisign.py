"""Public keys and signatures in minisign's format (https://jedisct1.github.io/minisign/, "Signature format").

Both are lines of text: a comment, then base64. Of the two algorithms only ``ED`` is taken: Ed25519 over the BLAKE2b-512
digest of the file. (``Ed``, which signs the file itself, is that of early versions.) A second signature covers the
first one and the trusted comment.

Who may sign what is decided in ``gprov.domain.trust``; secret keys are in ``gprov.domain.formats.minisign_secret``.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ed25519 import KEY_SIZE, SIGNATURE_SIZE, key_problem

MAX_FILE = 32 << 10  # bytes of a file with a key or a signature; minisign writes at most 18 KiB
KEY_ID_SIZE = 8
ALGORITHM = b"Ed"  # of keys
PREHASHED = b"ED"
COMMENT = "untrusted comment: "
TRUSTED_COMMENT = "trusted comment: "
_ALGORITHM_SIZE = 2
PUBLIC_SIZE = _ALGORITHM_SIZE + KEY_ID_SIZE + KEY_SIZE
_SIGNATURE_SIZE = _ALGORITHM_SIZE + KEY_ID_SIZE + SIGNATURE_SIZE


@dataclass(frozen=True, slots=True)
class PublicKey:
    """``number``: 8 random bytes by which signatures name their key; ``key``: the raw key of 32 bytes."""

    number: bytes
    key: bytes

    @property
    def key_id(self) -> str:
        return key_id(self.number)

    @property
    def text(self) -> str:
        """The key on one line, as ``minisign -P`` takes it."""
        return b64encode(ALGORITHM + self.number + self.key).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """``number``: of the key; ``signature``: over the digest of the file; ``global_signature``: over ``signature`` and
    the trusted comment."""

    number: bytes
    signature: bytes
    trusted_comment: str
    global_signature: bytes
    comment: str = "signature from gprov secret key"

    @property
    def key_id(self) -> str:
        return key_id(self.number)


def key_id(number: bytes) -> str:
    """16 hexadecimal digits of the number, which is little-endian. The tool minisign prints it without zeros at the
    beginning."""
    return f"{int.from_bytes(number, 'little'):016X}"


def signed_digest(content: bytes) -> bytes:
    """What a signature of a file signs: BLAKE2b-512, 64 bytes."""
    return hashlib.blake2b(content).digest()


def globally_signed(signature: bytes, trusted_comment: str) -> bytes:
    """What the second signature signs."""
    return signature + trusted_comment.encode()


def parse_public_key(source: str, content: bytes) -> PublicKey:
    """A file with a key. Raises BadInput."""
    lines = _lines(source, content)
    problems = _form_problems(lines, (COMMENT, ""))
    if problems:
        raise BadInput(source, problems)
    return _parse_key(source, lines[1], "line 2")


def parse_key_text(source: str, text: str, place: str = "") -> PublicKey:
    """A key on one line, at ``place`` of a document. Raises BadInput."""
    return _parse_key(source, text, place)


def serialise_public_key(key: PublicKey) -> bytes:
    return f"{COMMENT}minisign public key {key.key_id}\n{key.text}\n".encode("ascii")


def parse_signature(source: str, content: bytes) -> Signature:
    """A file with a signature. Raises BadInput with all problems, also for a signature of the legacy algorithm."""
    lines = _lines(source, content)
    problems = _form_problems(lines, (COMMENT, "", TRUSTED_COMMENT, ""))
    if problems:
        raise BadInput(source, problems)
    one = _decoded(lines[1], "line 2", _SIGNATURE_SIZE, problems)
    whole = _decoded(lines[3], "line 4", SIGNATURE_SIZE, problems)
    algorithm, rest = one[:_ALGORITHM_SIZE], one[_ALGORITHM_SIZE:]
    if algorithm == ALGORITHM:
        problems.append(
            Problem("line 2", "is a legacy signature, over the file itself: minisign -S makes one without -l")
        )
    elif one and algorithm != PREHASHED:
        problems.append(Problem("line 2", f"has the algorithm {algorithm!r}, and only {PREHASHED!r} is known"))
    if problems:
        raise BadInput(source, problems)
    return Signature(
        number=rest[:KEY_ID_SIZE],
        signature=rest[KEY_ID_SIZE:],
        trusted_comment=lines[2].removeprefix(TRUSTED_COMMENT),
        global_signature=whole,
        comment=lines[0].removeprefix(COMMENT),
    )


def serialise_signature(one: Signature) -> bytes:
    signature = b64encode(PREHASHED + one.number + one.signature).decode("ascii")
    whole = b64encode(one.global_signature).decode("ascii")
    text = f"{COMMENT}{one.comment}\n{signature}\n{TRUSTED_COMMENT}{one.trusted_comment}\n{whole}\n"
    return text.encode()


def _lines(source: str, content: bytes) -> list[str]:
    if len(content) > MAX_FILE:
        raise BadInput(source, [Problem("", f"has {len(content)} bytes, more than a key or signature can have")])
    try:
        text = content.decode()
    except UnicodeDecodeError as exc:
        raise BadInput(source, [Problem(f"byte {exc.start}", "is not UTF-8")]) from exc
    # Not splitlines(): other characters than these end no line for minisign, and are signed in a trusted comment.
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _form_problems(lines: list[str], beginnings: tuple[str, ...]) -> list[Problem]:
    """``beginnings``: of the lines that the file must have."""
    problems = [
        Problem(f"line {number}", f"must begin with {beginning!r}")
        for number, (line, beginning) in enumerate(zip(lines, beginnings, strict=False), 1)
        if not line.startswith(beginning)
    ]
    if len(lines) != len(beginnings):
        problems.append(Problem("", f"must have {len(beginnings)} lines, has {len(lines)}"))
    return problems


def _parse_key(source: str, text: str, place: str) -> PublicKey:
    problems: list[Problem] = []
    data = _decoded(text, place, PUBLIC_SIZE, problems)
    if data:
        algorithm, rest = data[:_ALGORITHM_SIZE], data[_ALGORITHM_SIZE:]
        if algorithm != ALGORITHM:
            problems.append(Problem(place, f"has the algorithm {algorithm!r}, and only {ALGORITHM!r} is known"))
        elif problem := key_problem(rest[KEY_ID_SIZE:]):
            problems.append(Problem(place, f"the key {problem}"))
        else:
            return PublicKey(rest[:KEY_ID_SIZE], rest[KEY_ID_SIZE:])
    raise BadInput(source, problems)


def _decoded(text: str, place: str, size: int, problems: list[Problem]) -> bytes:
    """Bytes of a line, b"" with a problem if they are not ``size`` ones in base64."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        problems.append(Problem(place, "is not base64"))
        return b""
    if len(data) != size:
        problems.append(Problem(place, f"must hold {size} bytes, holds {len(data)}"))
        return b""
    return data
