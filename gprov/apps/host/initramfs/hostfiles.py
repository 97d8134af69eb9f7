"""Files of the build host: reads, and atomic writes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.host.image.regular_files import open_regular
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, Problem


@contextmanager
def os_errors_translated(path: str) -> Iterator[None]:
    """Translate OSError to DeviceMissing or DeviceFault with the path of the error, else ``path``."""
    try:
        yield
    except FileNotFoundError as exc:
        raise DeviceMissing(exc.filename or path, "no such file or folder", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(exc.filename or path, exc.strerror or str(exc), errno=exc.errno) from exc


def read_file(path: str) -> bytes:
    with open_regular(path) as file, os_errors_translated(path):
        return file.read()


def read_text(path: str) -> str:
    """Raises BadInput for a file that is not UTF-8."""
    try:
        return read_file(path).decode()
    except UnicodeDecodeError as exc:
        raise BadInput(path, [Problem(f"byte {exc.start}", "is not UTF-8")]) from exc


def write_file(path: str, content: bytes) -> None:
    """Write atomically: readers see the old file or the whole new one."""
    with os_errors_translated(path), staged_file(path) as temporary, open(temporary, "wb") as file:
        file.write(content)


def copy_file(source: str, target: str) -> None:
    """Copy a file atomically, as ``write_file``."""
    with os_errors_translated(target), staged_file(target) as temporary:
        shutil.copyfile(source, temporary)


def check_writable(path: str) -> None:
    """Raise DeviceFault if ``write_file`` could not make or replace the file: to be called before long work. Leaves
    nothing, not even missing folders."""
    if os.path.lexists(path) and not (os.path.isfile(path) or os.path.islink(path)):
        raise DeviceFault(path, "cannot be written: is no file, but a folder or a device")
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    try:
        with tempfile.NamedTemporaryFile(prefix=f".{os.path.basename(path)}.", dir=folder):
            pass
    except OSError as exc:
        raise DeviceFault(path, f"cannot be written: {exc.strerror}", errno=exc.errno) from exc


@contextmanager
def staged_file(path: str) -> Iterator[str]:
    """Yield a temporary path in the same folder. It is renamed to ``path`` if the body succeeds, else removed."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=folder)
    os.close(handle)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def fresh_folder(path: str) -> str:
    """Create an empty folder at ``path``; an existing folder is removed."""
    with os_errors_translated(path):
        if os.path.isdir(path):
            shutil.rmtree(path)
        os.makedirs(path)
    return path
