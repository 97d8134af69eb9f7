"""A download that ends as a whole, verified, durable file, or not at all."""

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
from gprov.ports.network import Http


def fetch_file(http: Http, files: Files, fetch: FetchFile, bus: EventBus) -> None:
    """Raises NetworkFault, DeviceFault, IntegrityFault (the hash is another). The target is untouched then."""
    beside = fetch.target + PARTIAL
    progress = partial(bus.progress, f"fetch {redacted(fetch.url)}")
    fetched = http.download(fetch.url, beside, progress, limit=_room(files, beside))
    try:
        check_digests(redacted(fetch.url), fetched, fetch)
        _check_stored(beside, files.digests(beside), fetched)
    except IntegrityFault:
        files.remove(beside)
        raise
    files.rename(beside, fetch.target)


def _room(files: Files, target: str) -> int:
    """Bytes that fit on the volume: what is free, and what an earlier run left there, which is overwritten."""
    left = files.status(target)
    return files.usage(posixpath.dirname(target)).free + (left.size if left is not None else 0)


def check_digests(what: str, found: Digests, wanted: FetchFile) -> None:
    for name, have, want in (("SHA-256", found.sha256, wanted.sha256), ("SHA-1", found.sha1, wanted.sha1)):
        if want and have != want.lower():
            raise IntegrityFault(what, f"{name} is {have}, not {want} ({found.size} bytes)")


def _check_stored(path: str, stored: Digests, fetched: Digests) -> None:
    """Cheap sticks do not keep what is written to them."""
    if stored != fetched:
        raise IntegrityFault(path, f"the medium gives back other bytes than were written ({stored.size} bytes)")
