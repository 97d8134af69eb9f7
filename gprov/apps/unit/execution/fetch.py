"""A download that ends as a complete, verified, durable file, or leaves the target untouched."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from functools import partial

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import DeviceFault, GprovError, IntegrityFault
from gprov.domain.files import Digests
from gprov.domain.image.retention import PARTIAL
from gprov.domain.mfg.urls import redacted
from gprov.domain.plan.file_operations import FetchFile
from gprov.ports.files import Files
from gprov.ports.network import Http, TransferLimits, size_problem

# Of a volume: bytes, and one part of so many.
_MOST_RESERVE = 64 << 20
_RESERVED_PART = 16


def fetch_file(http: Http, files: Files, fetch: FetchFile, bus: EventBus) -> None:
    """Raises NetworkFault, DeviceFault, IntegrityFault (the hash differs). The target is untouched then, and what came
    is removed: a download is resumed within this call only. (After a power cut, the next run overwrites it.)"""
    temporary = fetch.target + PARTIAL
    room = _room(files, temporary)
    if fetch.size is not None and fetch.size > room:
        problem = size_problem(TransferLimits(room=room), fetch.size)
        raise DeviceFault(posixpath.dirname(fetch.target), f"{redacted(fetch.url)} has {fetch.size} bytes, {problem}")
    progress = partial(bus.progress, f"fetch {redacted(fetch.url)}")
    try:
        fetched = http.download(fetch.url, temporary, progress, TransferLimits(room=room, exact=fetch.size))
        check_digests(redacted(fetch.url), fetched, fetch)
        _check_stored(temporary, files.digests(temporary), fetched)
    except GprovError:
        with suppress(DeviceFault):  # the first error says more
            files.remove(temporary)
        raise
    files.rename(temporary, fetch.target)


def _room(files: Files, target: str) -> int:
    """Bytes that fit on the volume: the free space without a reserve, and the size of what an earlier run left at
    ``target``, which is overwritten. The reserve is for logs, history and the boot loader on RECOVERY, or for the
    memory that a folder in memory shares with all programs."""
    left = files.status(target)
    usage = files.usage(posixpath.dirname(target))
    reserve = min(_MOST_RESERVE, usage.total // _RESERVED_PART)
    return max(0, usage.free + (left.size if left is not None else 0) - reserve)


def check_digests(source: str, found: Digests, expected: FetchFile) -> None:
    """Compare with the hashes that are given ("" if not given). Raises IntegrityFault."""
    for name, have, want in (("SHA-256", found.sha256, expected.sha256), ("SHA-1", found.sha1, expected.sha1)):
        if want and have != want.lower():
            raise IntegrityFault(source, f"{name} is {have}, not {want} ({found.size} bytes)")


def _check_stored(path: str, stored: Digests, fetched: Digests) -> None:
    """Some cheap USB sticks return other data than was written."""
    if stored != fetched:
        raise IntegrityFault(path, f"the medium gives back other bytes than were written ({stored.size} bytes)")
