"""Commands that a finding tells a person to run: as they are typed, for this data folder."""

from __future__ import annotations

import shlex


def own_command(command: str, folder: str, key_file: str = "") -> str:
    """``command``: with its own arguments. ``key_file``: of the store, "" for the usual one."""
    words = ["--data", folder, *(["--key-file", key_file] if key_file else [])]
    return f"`{command} {shlex.join(words)}`"
