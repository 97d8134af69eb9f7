"""A download that ends as a complete, verified, durable file, or leaves the target untouched."""

from __future__ import annotations

import posixpath
from functools import partial

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import IntegrityFault
from gprov.domain.files import Digests
from gprov.domain.image.retention import PARTIAL
from gprov.domain.mfg.urls import redacted
from gprov.domain.plan.file_operations import FetchFile
from gprov.ports.files import Files
from gprov.ports.network import Http, TransferLimits


def fetch_file(http: Http, files: Files, fetch: FetchFile, bus: EventBus) -> None:
    """Raises NetworkFault, DeviceFault, IntegrityFault (the hash differs). The target is untouched then."""
    temporary = fetch.target + PARTIAL
    progress = partial(bus.progress, f"fetch {redacted(fetch.url)}")
    fetched = http.download(fetch.url, temporary, progress, TransferLimits(_room(files, temporary)))
    try:
        check_digests(redacted(fetch.url), fetched, fetch)
        _check_stored(temporary, files.digests(temporary), fetched)
    except IntegrityFault:
        files.remove(temporary)
        raise
    files.rename(temporary, fetch.target)


def _room(files: Files, target: str) -> int:
    """Bytes that fit on the volume: the free space, and the size of what an earlier run left at ``target``, which is
    overwritten."""
    left = files.status(target)
    return files.usage(posixpath.dirname(target)).free + (left.size if left is not None else 0)


def check_digests(source: str, found: Digests, expected: FetchFile) -> None:
    """Compare with the hashes that are given ("" if not given). Raises IntegrityFault."""
    for name, have, want in (("SHA-256", found.sha256, expected.sha256), ("SHA-1", found.sha1, expected.sha1)):
        if want and have != want.lower():
            raise IntegrityFault(source, f"{name} is {have}, not {want} ({found.size} bytes)")


def _check_stored(path: str, stored: Digests, fetched: Digests) -> None:
    """Some cheap USB sticks return other data than was written."""
    if stored != fetched:
        raise IntegrityFault(path, f"the medium gives back other bytes than were written ({stored.size} bytes)")
