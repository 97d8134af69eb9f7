"""Compresses images with xz: SHA-256 checksums, and blocks that can be decoded in parallel."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gprov.domain.errors import ToolFailed
from gprov.ports.process import Processes, Running

# Measured on 300 MB of /usr: 16 MiB increase the size by 1.4 % compared with xz's default of 24 MiB, and by 2.9 %
# compared with a single block. A unit with two cores needs 32 MiB to use both.
BLOCK_SIZE = 16 << 20
PRESET = 6  # 8 MiB of dictionary for each decoder
_SECONDS_TO_END = 3600.0
_MAX_MESSAGE = 400


def compress(data: Iterable[bytes], target: str, processes: Processes, preset: int = PRESET) -> None:
    """Write compressed ``data`` into the new file ``target`` and flush it. Uses all cores; the result does not depend
    on their number. ``preset``: 0 (fast) to 9 (small). Raises ToolFailed."""
    argv = ["xz", "--compress", "--stdout", "--threads=0", "--no-adjust", f"-{preset}"]
    argv += ["--check=sha256", f"--block-size={BLOCK_SIZE}"]
    with processes.start(argv, feed=True, log=target) as child:
        try:
            for chunk in data:
                child.stdin.write(chunk)
        except BrokenPipeError as exc:
            raise _failure(argv, child, target) from exc
        if child.wait(_SECONDS_TO_END).status != 0:
            raise _failure(argv, child, target)
    file = os.open(target, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _failure(argv: list[str], child: Running, target: str) -> ToolFailed:
    """Make an error with the message of xz, which follows the compressed data in the file."""
    status = child.wait(_SECONDS_TO_END).status
    with open(target, "rb") as file:
        file.seek(max(0, os.path.getsize(target) - _MAX_MESSAGE))
        _, found, message = file.read().rpartition(b"xz: ")
    reason = message.decode(errors="replace").strip() if found else ""
    if not reason and os.statvfs(target).f_bavail == 0:
        reason = f"no space left for {target}"
    return ToolFailed("xz", f"exit status {status}" + (f": {reason}" if reason else ""), command=" ".join(argv))
