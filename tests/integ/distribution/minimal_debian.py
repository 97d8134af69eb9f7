"""A minimal Debian in a folder, in which packages are installed as on a host of their own."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gprov.apps.host.lab.aptsources import sources_of

SUITE = "bookworm"
SECONDS = 900.0
# What package management itself keeps, and what is not of the system.
_NOT_COMPARED = re.compile(
    r"(proc|sys|dev|run|tmp|var/log|var/cache|var/lib/(apt|dpkg)|etc/(passwd|group|shadow|gshadow)-|etc/\.pwd\.lock)(/|$)"
)


@dataclass(frozen=True, slots=True)
class MinimalDebian:
    root: Path

    def under(self, *, account: str = "root:root") -> tuple[str, ...]:
        """What stands in front of a command that runs in it: with its own /proc, as this user and group."""
        mounted = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        start = ("unshare", "--mount", "sh", "-c", mounted, str(self.root))
        clean = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C.UTF-8")
        user, _, group = account.partition(":")
        rights = ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups")
        return (*start, *clean, "DEBIAN_FRONTEND=noninteractive", *rights)

    def run(self, *command: str, account: str = "root:root", expected: int = 0) -> str:
        """What it printed, errors included."""
        done = subprocess.run(
            [*self.under(account=account), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == expected, done.stdout[-4000:]
        return done.stdout

    def files(self) -> dict[str, tuple[int, int, str]]:
        """Mode, owner and content of every file, by its path."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            inner = os.path.relpath(folder, self.root)
            folders[:] = [name for name in folders if not _NOT_COMPARED.match(os.path.normpath(f"{inner}/{name}"))]
            for name in (*folders, *names):
                path, inside = os.path.join(folder, name), os.path.normpath(f"{inner}/{name}")
                if not _NOT_COMPARED.match(inside):
                    found[inside] = _facts(path)
        return found


def _facts(path: str) -> tuple[int, int, str]:
    status = os.lstat(path)
    content = ""
    if os.path.islink(path):
        content = os.readlink(path)
    elif os.path.isfile(path):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    return status.st_mode, status.st_uid, content


def make_minimal_debian(root: Path, depends: str) -> MinimalDebian:
    """``depends``: field Depends of packages whose dependencies are installed, with no recommended ones."""
    command = ["mmdebstrap", "--quiet", "--mode=root", "--format=directory", "--variant=minbase"]
    command += [f'--customize-hook=chroot "$1" apt-get satisfy --yes --no-install-recommends "{depends}"']
    command += [SUITE, str(root), *sources_of(_apt_files(), SUITE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return MinimalDebian(root)


def _apt_files() -> dict[str, str]:
    """The host's sources: no mirror is named here."""
    paths = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    return {str(path): path.read_text() for path in paths if path.suffix in (".list", ".sources") and path.is_file()}
