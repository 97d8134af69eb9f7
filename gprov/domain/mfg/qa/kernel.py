"""The running kernel's own description, ``/proc/version`` (proc(5)):
``Linux version RELEASE (BUILDER) (COMPILER) #BUILD CONFIG… DATE``."""

from __future__ import annotations

import re

VERSION_FILE = "/proc/version"
VERSION_BYTES = 1024
_VERSION = re.compile(r"Linux version (\S{1,80}) .*?(#[0-9]{1,18})(?![0-9])", re.DOTALL)


def kernel_text(version: bytes) -> str:
    """Release and build number, "" if the text has none."""
    match = _VERSION.match(version.decode(errors="replace"))
    return f"Linux {match[1]} {match[2]}" if match else ""
