"""Trust chain: all statements of an owner from the first one on, in one file that travels beside images.

The first statement is trusted because a kernel was built with it. Each later one is signed by both roots of the one
before, and by both of its own roots: so both of the old and both of the new ones sign when roots change, and one root
alone can change nothing.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.minisign import PublicKey, Signature, parse_signature, serialise_signature
from gprov.domain.trust.keys import Verifier, key_of, signature_problem
from gprov.domain.trust.statement import ROOTS, Statement, parse_statement

CHAIN_FILE = "trust.chain"
MAX_CHAIN = 1 << 20  # bytes
FORMAT = 1
_MOST_SIGNATURES = 2 * ROOTS


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """``content``: the statement's JSON, as it was signed."""

    content: bytes
    signatures: tuple[Signature, ...]
    statement: Statement


@dataclass(frozen=True, slots=True)
class UncheckedChain:
    """A chain that was parsed, whose signatures may be anything."""

    statements: tuple[SignedStatement, ...]


@dataclass(frozen=True, slots=True)
class TrustChain:
    """A chain whose signatures are valid, from its first statement on. ``statements``: at least one."""

    statements: tuple[SignedStatement, ...]

    @property
    def current(self) -> Statement:
        return self.statements[-1].statement

    @property
    def version(self) -> int:
        return self.current.version

    def continues(self, other: TrustChain) -> bool:
        """Whether it has the statements of the other chain, and perhaps more."""
        mine = [one.content for one in self.statements]
        return mine[: len(other.statements)] == [one.content for one in other.statements]

    def begins_as(self, other: TrustChain) -> bool:
        """Whether both have the same first statement, on which everything else rests."""
        return self.statements[0].content == other.statements[0].content


def parse_chain(source: str, data: bytes) -> UncheckedChain:
    """Raises BadInput with every problem."""
    if len(data) > MAX_CHAIN:
        raise BadInput(source, [Problem("", f"has more than {MAX_CHAIN} bytes")])
    root = read_object(source, data)
    if root.has("Kind") and not root.has("Statements"):
        raise BadInput(source, [Problem("", "is no trust chain, but a statement: gprov keys join makes a chain of it")])
    root.integer("Format", required=True, minimum=FORMAT, maximum=FORMAT)
    listed = root.objects("Statements", required=True)
    if root.has("Statements") and not root.count("Statements"):
        root.problem("Statements", "must have one statement at least")
    statements = tuple(found for one in listed if (found := _signed_statement(one)) is not None)
    return finish(source, root, UncheckedChain(statements))


def serialise_chain(chain: UncheckedChain | TrustChain) -> bytes:
    """Inverse of ``parse_chain``."""
    statements = [
        {
            "Statement": b64encode(one.content).decode("ascii"),
            "Signatures": [serialise_signature(signature).decode() for signature in one.signatures],
        }
        for one in chain.statements
    ]
    return (json.dumps({"Format": FORMAT, "Statements": statements}, indent=1) + "\n").encode("ascii")


def check_chain(source: str, chain: UncheckedChain, verifier: Verifier) -> TrustChain:
    """Raises BadInput with all problems of the first statement that has any: what follows it means nothing, and a long
    chain of a stranger costs no more time than a short one. Whether the first statement is to be trusted is for the
    caller to know."""
    before: Statement | None = None
    for number, one in enumerate(chain.statements):
        place = f"$.Statements[{number}]"
        problems = [] if before is None else [Problem(place, text) for text in _order_problems(before, one.statement)]
        problems += _signature_problems(place, one, required_roots(before, one.statement), verifier)
        if problems:
            raise BadInput(source, problems)
        before = one.statement
    return TrustChain(chain.statements)


def missing_signatures(signed: SignedStatement, before: Statement | None) -> tuple[PublicKey, ...]:
    """Roots that have yet to sign. ``before``: the last statement of the chain that it is for."""
    required = required_roots(before, signed.statement)
    return tuple(key for key in required if all(one.number != key.number for one in signed.signatures))


def required_roots(before: Statement | None, statement: Statement) -> tuple[PublicKey, ...]:
    """Which must sign: both of the statement before, and both of its own."""
    earlier = before.roots if before is not None else ()
    return tuple(dict.fromkeys((*earlier, *statement.roots)))


def _signature_problems(
    place: str, signed: SignedStatement, required: tuple[PublicKey, ...], verifier: Verifier
) -> Iterator[Problem]:
    valid: set[PublicKey] = set()
    for number, signature in enumerate(signed.signatures):
        key = key_of(signature, required)
        problem = signature_problem(key, signature, signed.content, verifier) if key is not None else ""
        if key is None:
            yield Problem(
                f"{place}.Signatures[{number}]",
                f"is of the key {signature.key_id}, which is none of the roots that sign this statement: leave it out",
            )
        elif problem:
            yield Problem(f"{place}.Signatures[{number}]", problem)
        elif key in valid:
            yield Problem(f"{place}.Signatures[{number}]", f"is the second one of the key {key.key_id}")
        else:
            valid.add(key)
    for key in required:
        if key not in valid:
            yield Problem(f"{place}.Signatures", f"lack a valid one of the root {key.key_id}")


def _order_problems(earlier: Statement, later: Statement) -> Iterator[str]:
    if later.version != earlier.version + 1:
        yield f"must have version {earlier.version + 1}, which follows the one before, has {later.version}"
    revoked = {one.key for one in later.revoked}
    for key in _by_id({one.key for one in earlier.revoked} - revoked):
        yield f"no longer revokes {key.key_id}: a key that was revoked stays revoked"
    for key in _by_id({*earlier.signers} - {*later.signers} - revoked):
        yield f"leaves out the signer {key.key_id}: revoke it, and keep what stays good"


def _by_id(keys: Iterable[PublicKey]) -> list[PublicKey]:
    return sorted(keys, key=lambda key: key.key_id)


def _signed_statement(one: JsonObject) -> SignedStatement | None:
    content = _content(one)
    if one.count("Signatures") > _MOST_SIGNATURES:
        one.problem("Signatures", f"must be at most {_MOST_SIGNATURES}, are {one.count('Signatures')}")
    signatures = [
        found
        for number, text in enumerate(one.texts("Signatures", required=True))
        if (found := _signature(one, number, text)) is not None
    ]
    if content is None:
        return None
    place = f"{one.path}.Statement"
    try:
        statement = parse_statement(place, content)
    except BadInput as error:
        one.problems += [Problem(f"{place}: {problem.place}", problem.message) for problem in error.problems]
        return None
    return SignedStatement(content, tuple(signatures), statement)


def _content(one: JsonObject) -> bytes | None:
    text = one.text("Statement", required=True)
    if not text:
        return None
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        one.problem("Statement", "is not base64")
        return None


def _signature(one: JsonObject, number: int, text: str) -> Signature | None:
    try:
        return parse_signature("signature", text.encode())
    except BadInput as error:
        place = f"{one.path}.Signatures[{number}]"
        one.problems += [Problem(f"{place}: {problem.place}", problem.message) for problem in error.problems]
        return None
