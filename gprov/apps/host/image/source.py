"""Makes the plain tar archive of an image, from a folder or an existing archive."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
from typing import BinaryIO, cast

from gprov.apps.host.image.regular_files import open_regular
from gprov.domain.errors import DeviceFault, DeviceMissing, IntegrityFault
from gprov.ports.process import Processes

_HOURS = 3600.0
_MAGIC = {b"\xfd7zXZ\0": "xz", b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def pack_folder(root: str, target: str, processes: Processes) -> str:
    """Archive everything below ``root`` on its file system; return ``target``. The same content gives the same bytes.

    Of times, only the modification times. pax, with sorted names; names of extended headers must not have a
    process number in them, which they have by default (and in versions of the sparse format other than 0.0).
    """
    if not os.path.isdir(root):
        raise DeviceMissing(root, "is not a folder")
    argv = [
        "tar",
        "--create",
        f"--file={target}",
        f"--directory={root}",
        "--format=pax",
        "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
        "--sort=name",
        "--one-file-system",
        "--numeric-owner",
        "--sparse",
        "--sparse-version=0.0",
        "--xattrs",
        "--xattrs-include=*",
        "--acls",
        ".",
    ]
    processes.run(argv, timeout=8 * _HOURS)
    return target


def plain_archive(path: str, target: str, processes: Processes) -> str:
    """Return the path of the archive as plain tar: ``path``, or ``target`` after decompression (.xz, .gz, .zst)."""
    with open_regular(path) as file:
        try:
            start = file.read(6)
        except OSError as exc:
            raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
    packer = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
    if packer is None:
        return path
    if packer == "zstd":
        processes.run(["zstd", "--decompress", "--quiet", "--force", "-o", target, "--", path], timeout=8 * _HOURS)
        return target
    unpack = lzma.open if packer == "xz" else gzip.open
    try:
        with unpack(path, "rb") as source, open(target, "wb") as file:
            shutil.copyfileobj(cast(BinaryIO, source), file, 1 << 20)
    except (lzma.LZMAError, EOFError, gzip.BadGzipFile) as exc:
        raise IntegrityFault(path, f"cannot be decompressed: {exc}") from exc
    except OSError as exc:
        raise DeviceFault(path, f"cannot be decompressed: {exc.strerror}", errno=exc.errno) from exc
    return target
