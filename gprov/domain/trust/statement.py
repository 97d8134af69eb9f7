"""Trust statement: the keys of the owner of units at one time. It has no dates, since a unit has no clock to compare
them with, and a version instead.

*Roots* sign statements, and nothing else; *signers* sign images. A revoked signer's manifests are refused, except
those that the statement keeps by their SHA-256, so that a unit can still restore the image that it has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.minisign import PublicKey, parse_key_text

MAX_STATEMENT = 256 << 10  # bytes
FORMAT = 1
KIND = "gprov trust statement"
ROOTS = 2
MAX_VERSION = 2**31 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Revoked:
    """``keep``: SHA-256 of the files of manifests that stay good, lower-case hex."""

    key: PublicKey
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    version: int
    roots: tuple[PublicKey, PublicKey]
    signers: tuple[PublicKey, ...]
    revoked: tuple[Revoked, ...] = ()


def role_of(statement: Statement, key: PublicKey) -> str:
    """What the statement names a key as: "root", "signer", "revoked signer", or "" for a key that it does not name."""
    roles = (
        ("root", statement.roots),
        ("signer", statement.signers),
        ("revoked signer", tuple(one.key for one in statement.revoked)),
    )
    return next((role for role, keys in roles if any(key.number == one.number for one in keys)), "")


def serialise_statement(statement: Statement) -> bytes:
    """Raises BadInput for a statement that ``parse_statement`` would refuse."""
    value = {
        "Format": FORMAT,
        "Kind": KIND,
        "Version": statement.version,
        "Roots": [key.text for key in statement.roots],
        "Signers": [key.text for key in statement.signers],
        "Revoked": [{"Key": one.key.text, "Keep": list(one.keep)} for one in statement.revoked],
    }
    data = (json.dumps(value, indent=1) + "\n").encode("ascii")
    parse_statement(f"statement {statement.version}", data)
    return data


def parse_statement(source: str, data: bytes) -> Statement:
    """Raises BadInput with every problem. Keys, and key ids, are in one role only."""
    if len(data) > MAX_STATEMENT:
        raise BadInput(source, [Problem("", f"has more than {MAX_STATEMENT} bytes")])
    root = read_object(source, data)
    if root.has("Statements") and not root.has("Kind"):
        raise BadInput(source, [Problem("", "is no trust statement, but a trust chain")])
    root.integer("Format", required=True, minimum=FORMAT, maximum=FORMAT)
    if root.text("Kind", required=True) not in ("", KIND):
        root.problem("Kind", f"must be {KIND!r}")
    version = root.integer("Version", required=True, minimum=1, maximum=MAX_VERSION)
    keys: list[tuple[str, PublicKey]] = []
    roots = _keys(root, "Roots", keys)
    if root.has("Roots") and root.count("Roots") != ROOTS:
        root.problem("Roots", f"must be {ROOTS} keys, are {root.count('Roots')}")
    signers = _keys(root, "Signers", keys)
    revoked = tuple(_revoked(one, keys) for one in root.objects("Revoked", required=True))
    _refuse_doubles(root, keys)
    if root.problems:
        return finish(source, root, Statement(version, _NO_ROOTS, ()))
    kept = tuple(one for one in revoked if one is not None)
    return Statement(version, (roots[0], roots[1]), signers, kept)


_NOT_A_KEY = PublicKey(b"", b"")
_NO_ROOTS = (_NOT_A_KEY, _NOT_A_KEY)


def _keys(root: JsonObject, key: str, found: list[tuple[str, PublicKey]]) -> tuple[PublicKey, ...]:
    """The valid ones, which are also added to ``found`` with their places."""
    texts = root.texts(key, required=True)
    places = [f"{root.path}.{key}[{number}]" for number in range(len(texts))]
    keys = [_key(root, text, place) for text, place in zip(texts, places, strict=True)]
    found += [(place, one) for place, one in zip(places, keys, strict=True) if one is not None]
    return tuple(one for one in keys if one is not None)


def _key(holder: JsonObject, text: str, place: str) -> PublicKey | None:
    try:
        return parse_key_text("key", text, place)
    except BadInput as error:
        holder.problems += error.problems
        return None


def _revoked(one: JsonObject, found: list[tuple[str, PublicKey]]) -> Revoked | None:
    place = f"{one.path}.Key"
    text = one.text("Key", required=True)
    key = _key(one, text, place) if text else None
    keep = one.texts("Keep", required=True)
    for number, digest in enumerate(keep):
        if not _SHA256.fullmatch(digest):
            one.problem(f"Keep[{number}]", f"must be 64 hexadecimal digits in lower case, is {digest[:80]!r}")
    if key is None:
        return None
    found.append((place, key))
    return Revoked(key, keep)


def _refuse_doubles(root: JsonObject, found: Iterable[tuple[str, PublicKey]]) -> None:
    """A key in two roles, or two keys of one id: signatures name their key by the id."""
    seen: dict[bytes, str] = {}
    for place, key in found:
        for part, what in ((key.number, "id"), (key.key, "key")):
            if part in seen:
                root.problems.append(Problem(place, f"has the same {what} as {seen[part]}"))
                break
        else:
            seen |= {key.number: place, key.key: place}
