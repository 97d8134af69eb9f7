"""``/proc/self/mountinfo`` (proc(5), Linux ``Documentation/filesystems/proc.rst`` §3.5) → values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.disk.device_number import DeviceNumber

_MIN_FIELDS = 6
_TAIL_FIELDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MountInfo:
    """One mount. ``device`` is what ``st_dev`` of its files says; ``source`` what was mounted, as text. ``options`` are
    those of this mount and of its file system. ``root``: the folder of that file system that is mounted."""

    device: DeviceNumber
    root: str
    target: str
    kind: str
    source: str
    options: frozenset[str]


def parse_mountinfo(text: bytes) -> tuple[MountInfo, ...]:
    """All mounts in the kernel's order. Raises BadInput with every line that is malformed."""
    problems: list[Problem] = []
    found = []
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line:
            continue
        entry = _parse_line(line)
        if entry is None:
            problems.append(Problem(f"line {number}", f"is no mount: {line[:120]!r}"))
        else:
            found.append(entry)
    if problems:
        raise BadInput("mountinfo", problems)
    return tuple(found)


def _parse_line(line: bytes) -> MountInfo | None:
    # "id parent major:minor root target options [tag…] - kind source options"; the kernel leaves an empty source empty.
    fields = line.split(b" ")
    if b"-" not in fields[_MIN_FIELDS:]:
        return None
    dash = fields.index(b"-", _MIN_FIELDS)
    tail = fields[dash + 1 :]
    device = re.fullmatch(rb"(\d{1,9}):(\d{1,9})", fields[2])
    if len(tail) != _TAIL_FIELDS or device is None:
        return None
    root, target, own, kind, source, shared = (_unescaped(field) for field in (fields[3], fields[4], fields[5], *tail))
    options = frozenset(option for option in (*own.split(","), *shared.split(",")) if option)
    return MountInfo(
        device=DeviceNumber(int(device[1]), int(device[2])),
        root=root,
        target=target,
        kind=kind,
        source=source,
        options=options,
    )


def _unescaped(field: bytes) -> str:
    """``\\040`` and its like; names are bytes to the kernel, and any byte survives the way there and back."""
    raw = re.sub(rb"\\([0-3][0-7]{2})", lambda hit: bytes([int(hit[1], 8)]), field)
    return raw.decode("utf-8", "surrogateescape")
