"""Files that appear whole and durable: those with secrets, which only their owner can read, and those of owners that
all users may read. All functions raise OSError."""

from __future__ import annotations

import os
import secrets

from gprov.adapters.linux.files.durable import sync_folder


def create_private(path: str, content: bytes) -> None:
    """Make a file with mode 0600, durable and whole as soon as it has its name. Raises FileExistsError: of several
    makers at once, one succeeds."""
    temporary = _write_beside(path, content, 0o600)
    try:
        os.link(temporary, path)
    finally:
        os.unlink(temporary)
    sync_folder(os.path.dirname(path))


def replace_private(path: str, content: bytes) -> None:
    """Replace a file, or make it, with mode 0600. After a power cut it has the old or the new content."""
    _replace(path, content, 0o600)


def replace_public(path: str, content: bytes) -> None:
    """As ``replace_private``, with mode 0644."""
    _replace(path, content, 0o644)


def _replace(path: str, content: bytes, mode: int) -> None:
    temporary = _write_beside(path, content, mode)
    try:
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(path))


def _write_beside(path: str, content: bytes, mode: int) -> str:
    temporary = f"{path}.{secrets.token_hex(8)}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary
