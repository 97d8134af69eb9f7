"""Where the report of ``gprov erase run`` goes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from tempfile import TemporaryFile

from gprov.domain.erase.signed import is_certificate_file
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.owner import Owner


def report_name(now_ns: int) -> str:
    """Of the report of an erase that names none: in the current folder, with the UTC time."""
    return f"erase-report-{datetime.fromtimestamp(now_ns // 10**9, UTC):%Y%m%dT%H%M%SZ}.json"


def require_place(path: str) -> None:
    """Raises DeviceFault: hours later, the report of an erase must have a place."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.lexists(path):
        raise DeviceFault(path, "exists already: the report needs a new file")
    try:
        if any(map(is_certificate_file, os.listdir(folder))):
            chain = f"{folder} holds a chain of certificates, in which a report makes the chain invalid"
            raise DeviceFault(path, f"{chain}: name a file in another folder with --report")
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = f"cannot be written: no file can be made in {folder} ({error.strerror})"
        raise DeviceFault(path, why) from error


def write_report(path: str, content: bytes) -> None:
    """Raises DeviceFault."""
    from gprov.adapters.linux.files.files import LinuxFiles

    LinuxFiles().replace(os.path.abspath(path), content, owner=Owner(os.geteuid(), os.getegid()))
