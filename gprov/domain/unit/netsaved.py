"""``netd.tar`` on RECOVERY: the saved network configuration of a unit.

An uncompressed tar archive of systemd-networkd files, written by gprov-netsave in the running system. A restore writes
them unchanged into a folder of the new system. Therefore only these are accepted: configuration files with harmless
names, drop-ins for them one folder deeper, and links to /dev/null, which disable a file of the image. Format:
POSIX.1-2017, XCU pax, "ustar Interchange Format"; extended headers (``x``, ``g``) may only contain times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.image.tar_fields import Malformed, pax_records

MARKER = ".config-preserved"

_STEM = r"[A-Za-z0-9_@+:,-][A-Za-z0-9_@+:.,-]{0,200}"
_NAME = re.compile(rf"{_STEM}\.(network|netdev|link)(\.d/{_STEM}\.conf)?")
_FOLDER_NAME = re.compile(rf"{_STEM}\.(network|netdev|link)\.d/?")
_NULL = "/dev/null"
_MAX_FILE = 64 << 10  # bytes; typical files have some hundred
_MAX_FILES = 1000
_BLOCK = 512
_FILE, _LINK, _FOLDER, _EXTENDED = (b"0", b"\0"), b"2", b"5", (b"x", b"g")
# Permission bits that are restored. Files may be less accessible (keys of a tunnel), but not more.
_MODES = 0o644
_HARMLESS = frozenset((b"atime", b"ctime", b"mtime", b"comment"))


@dataclass(frozen=True, slots=True)
class SavedFile:
    """``mode``: permission bits; ``group``: name of the group that it belongs to (networkd does not run as root). A
    ``mask`` is a link to /dev/null, without content."""

    content: bytes
    mode: int = 0o644
    group: str = "root"
    mask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    name: str
    type: bytes
    content: bytes
    link: str
    mode: int
    group: str


def parse_saved(source: str, archive: bytes) -> dict[str, SavedFile]:
    """Configuration files by path below the folder, at least one. Raises BadInput with all invalid archive members."""
    problems: list[Problem] = []
    files: dict[str, SavedFile] = {}
    for member in _members(archive, problems):
        name = member.name.removeprefix("./")
        if (member.type == _FOLDER and name.rstrip("/") in ("", ".")) or (member.type in _FILE and name == MARKER):
            continue  # the folder itself, and the marker of an earlier restore
        if member.type == _FOLDER and _FOLDER_NAME.fullmatch(name):
            continue  # created with the first file in it
        problem = _member_problem(name, member)
        if problem:
            problems.append(Problem(member.name[:100], problem))
        else:
            # The last one of a name wins, as when unpacking.
            mode = (member.mode or _MODES) & _MODES | 0o600
            files[name] = SavedFile(member.content, mode, member.group, member.type == _LINK)
        if len(files) > _MAX_FILES or len(problems) > _MAX_FILES:
            problems.append(Problem("", f"holds more than {_MAX_FILES} files"))
            break
    if not files and not problems:
        problems.append(Problem("", "holds no network configuration"))
    if problems:
        raise BadInput(source, problems)
    return files


def _member_problem(name: str, member: _Member) -> str | None:
    if member.type == _LINK and member.link != _NULL:
        return f"is a link to a target other than {_NULL}"
    if member.type not in (*_FILE, _LINK):
        return f"is not a regular file (type {member.type.decode('ascii', 'backslashreplace')!r})"
    if not _NAME.fullmatch(name):
        return "is not named like a .network, .netdev or .link file"
    if member.type == _LINK:
        return "is a link with content" if member.content else None
    if len(member.content) > _MAX_FILE:
        return f"is larger than {_MAX_FILE} bytes"
    if b"\0" in member.content:
        return "is not text"
    return None


def _members(archive: bytes, problems: list[Problem]) -> Iterator[_Member]:
    """Archive members up to the end-of-archive mark. A malformed header or a truncated archive is a problem."""
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
            problems.append(Problem(place, "is not a tar header"))
            return
        content = archive[offset + _BLOCK : offset + _BLOCK + size]  # if that is cut off, the next header is too
        kind = header[156:157]
        if kind not in _EXTENDED:
            link, group = (_text(header[start:end]) for start, end in ((157, 257), (297, 329)))
            yield _Member(
                name=_name(header),
                type=kind,
                content=content,
                link=link,
                mode=_octal(header[100:108]) or 0,
                group=group,
            )
        elif not _harmless(content):
            problems.append(Problem(place, "an extended header changes more than times"))
        offset += _BLOCK + -(-size // _BLOCK) * _BLOCK


def _harmless(extended: bytes) -> bool:
    """Whether an extended header contains only times."""
    try:
        return pax_records(extended).keys() <= _HARMLESS
    except Malformed:
        return False


def _octal(text: bytes) -> int | None:
    digits = text.strip(b" \0")
    return int(digits, 8) if re.fullmatch(rb"[0-7]{1,12}", digits) else None


def _name(header: bytes) -> str:
    name, prefix = (part.partition(b"\0")[0] for part in (header[:100], header[345:500]))
    # GNU tar keeps times where ustar has the rest of a long name.
    whole = prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name
    return _text(whole)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")
