"""Files of the build host: plain reads, and writes that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.host.image.regular_files import open_regular
from gprov.domain.errors import DeviceFault, DeviceMissing


@contextmanager
def os_errors_translated(path: str) -> Iterator[None]:
    """OS errors as DeviceMissing or DeviceFault that name ``path``."""
    try:
        yield
    except FileNotFoundError as exc:
        raise DeviceMissing(exc.filename or path, "no such file or folder", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(exc.filename or path, exc.strerror or str(exc), errno=exc.errno) from exc


def read_file(path: str) -> bytes:
    with open_regular(path) as file, os_errors_translated(path):
        return file.read()


def write_file(path: str, content: bytes) -> None:
    """Atomically: readers see the old file or the whole new one."""
    with os_errors_translated(path), staged_file(path) as beside, open(beside, "wb") as file:
        file.write(content)


def copy_file(source: str, target: str) -> None:
    """As ``write_file``, with the content of another file."""
    with os_errors_translated(target), staged_file(target) as beside:
        shutil.copyfile(source, beside)


@contextmanager
def staged_file(path: str) -> Iterator[str]:
    """A name beside ``path`` that becomes ``path`` if the body succeeds and is removed if not."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=folder)
    os.close(handle)
    try:
        yield beside
        os.chmod(beside, 0o644)
        os.rename(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def fresh_folder(path: str) -> str:
    """An empty folder at ``path``; what was there is removed."""
    with os_errors_translated(path):
        if os.path.isdir(path):
            shutil.rmtree(path)
        os.makedirs(path)
    return path
