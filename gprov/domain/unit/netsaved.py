"""``netd.tar`` on RECOVERY: the network configuration that a unit saved before it is restored.

An uncompressed tar archive of files for systemd-networkd. They are written into a folder of the new system as they
come, so nothing is accepted but plain configuration files with harmless names. Format: POSIX.1-2017, XCU pax, "ustar
Interchange Format"; extended headers (``x``, ``g``) may only carry times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

ARCHIVE = "netd.tar"
MARKER = ".config-preserved"

_NAME = re.compile(r"[A-Za-z0-9_@+:,-][A-Za-z0-9_@+:.,-]{0,200}\.(network|netdev|link)")
_LARGEST_FILE = 64 << 10  # bytes; real ones have some hundred
_BLOCK = 512
_FILE, _FOLDER, _EXTENDED = (b"0", b"\0"), b"5", (b"x", b"g")
_EXTENDED_RECORD = re.compile(rb"[0-9]+ (?:[acm]time|comment)=[^\n]*\n")


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    type: bytes
    content: bytes


def parse_saved(what: str, archive: bytes) -> dict[str, bytes]:
    """Configuration files by name. Raises BadInput with every member that is not one; never returns nothing."""
    problems: list[Problem] = []
    files: dict[str, bytes] = {}
    for member in _members(archive, problems):
        name = member.name.removeprefix("./")
        if (member.type == _FOLDER and name.rstrip("/") in ("", ".")) or (member.type in _FILE and name == MARKER):
            continue  # the folder itself, and what an earlier restore left in it
        problem = _member_problem(name, member)
        if problem:
            problems.append(Problem(member.name[:100], problem))
        else:
            files[name] = member.content  # the last one of a name wins, as when unpacking
    if not files and not problems:
        problems.append(Problem("", "holds no network configuration"))
    if problems:
        raise BadInput(what, problems)
    return files


def _member_problem(name: str, member: _Member) -> str | None:
    if member.type not in _FILE:
        return f"is no regular file (type {member.type.decode('ascii', 'backslashreplace')!r})"
    if not _NAME.fullmatch(name):
        return "is not named like a .network, .netdev or .link file"
    if len(member.content) > _LARGEST_FILE:
        return f"is larger than {_LARGEST_FILE} bytes"
    if b"\0" in member.content:
        return "is not text"
    return None


def _members(archive: bytes, problems: list[Problem]) -> Iterator[_Member]:
    """Up to the end-of-archive mark; what keeps the reader from getting there is a problem."""
    offset = 0
    while True:
        place = f"byte {offset}"
        header = archive[offset : offset + _BLOCK]
        if len(header) < _BLOCK:
            problems.append(Problem(place, "the archive is cut off"))
            return
        if not any(header):
            return
        size = _octal(header[124:136])
        if _octal(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * 0x20 or size is None:
            problems.append(Problem(place, "is no tar header"))
            return
        content = archive[offset + _BLOCK : offset + _BLOCK + size]  # if that is cut off, the next header is too
        kind = header[156:157]
        if kind not in _EXTENDED:
            yield _Member(_name(header), kind, content)
        elif _EXTENDED_RECORD.sub(b"", content):
            problems.append(Problem(place, "an extended header changes more than times"))
        offset += _BLOCK + -(-size // _BLOCK) * _BLOCK


def _octal(text: bytes) -> int | None:
    digits = text.strip(b" \0")
    return int(digits, 8) if re.fullmatch(rb"[0-7]{1,12}", digits) else None


def _name(header: bytes) -> str:
    name, prefix = (part.partition(b"\0")[0] for part in (header[:100], header[345:500]))
    # GNU tar keeps times where ustar has the rest of a long name.
    whole = prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name
    return whole.decode("utf-8", "backslashreplace")
