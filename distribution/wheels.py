"""The files of all locked packages of an installed gprov, fetched once and kept in the cache of builds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from distribution.lock import chosen_lock
from gprov.apps.host.initramfs.cache import Cache, content_key, default_root

_KIND = "wheels"
_KEPT = 2


def wheel_folder() -> Path:
    """Return a folder with the archive of each package; pip has compared their hashes with the lock file's."""
    lock = chosen_lock("runtime") + chosen_lock("build")
    cache = Cache(default_root(os.environ))
    key = content_key(lock)
    with cache.lock(_KIND, lambda: print("wheels: waiting for another download", file=sys.stderr)):
        found = cache.find(_KIND, key) or cache.publish(_KIND, key, lambda path: _download(lock, path))
        cache.keep_newest(_KIND, _KEPT)
    return Path(found)


def _download(lock: str, folder: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(lock)
        file.flush()
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*command, "--require-hashes", "--requirement", file.name, "--dest", folder], check=True)
