"""A secret that is sealed to the unit's TPM, as a file (JSON): the PCRs that its policy names, and for each part of the
secret the public and the private area of a sealed object of the TPM, in base64."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.tpm.objects import MAX_PART, SealedObject
from gprov.domain.formats.tpm.structures import PCR_COUNT

MAX_BYTES = 16384
MAX_PARTS = 8
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """``parts``: in the order of the content."""

    pcrs: frozenset[int]
    parts: tuple[SealedObject, ...]


def serialise_sealed(secret: SealedSecret) -> bytes:
    parts = [{"Public": _text(part.public), "Private": _text(part.private)} for part in secret.parts]
    return json.dumps({"Format": _FORMAT, "Pcrs": sorted(secret.pcrs), "Parts": parts}, indent=1).encode() + b"\n"


def parse_sealed(source: str, content: bytes) -> SealedSecret:
    """Raises BadInput with all problems."""
    if len(content) > MAX_BYTES:
        raise BadInput(source, [Problem("", f"has more than {MAX_BYTES} bytes")])
    root = read_object(source, content)
    if (number := root.integer("Format", required=True, minimum=1)) > _FORMAT:
        root.problem("Format", f"is {number}: a newer version of gprov has written it")
    pcrs = root.integers("Pcrs", required=True)
    if not pcrs or not all(0 <= pcr < PCR_COUNT for pcr in pcrs):
        root.problem("Pcrs", f"must be numbers from 0 to {PCR_COUNT - 1}")
    parts = root.objects("Parts", required=True, most=MAX_PARTS)
    if not parts:
        root.problem("Parts", "must not be empty")
    objects = tuple(SealedObject(_bytes(part, "Public"), _bytes(part, "Private")) for part in parts)
    return finish(source, root, SealedSecret(frozenset(pcrs), objects))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(part: JsonObject, key: str) -> bytes:
    try:
        found = base64.b64decode(part.text(key, required=True), validate=True)
    except (binascii.Error, ValueError):
        part.problem(key, "is not base64")
        return b""
    if not 0 < len(found) <= MAX_PART:
        part.problem(key, f"has {len(found)} bytes, not 1 to {MAX_PART}")
    return found
