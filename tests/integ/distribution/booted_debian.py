"""A Debian in a folder, started by its own systemd: in namespaces of its own, as containers are.

Formats: https://systemd.io/CONTAINER_INTERFACE, cgroups(7), sd_notify(3). Needs root, and a mounted cgroup2.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECONDS = 300.0
_READY = "ready.socket"
_PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
# Mounts are shared, since systemd makes those of credentials in a namespace of their own.
# It enters the control group first, which its namespace then has for its root. The host keeps its settings, modules and
# clock, and its device nodes: getty changes owner and permissions of the console.
_START = """\
echo $$ > {group}/cgroup.procs
exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup --propagation private sh -ec {inner}
"""
_INNER = """\
mount --bind {root} {root}
cd {root}
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mknod -m 600 dev/console c 1 3
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mkdir -p mnt/old
pivot_root . mnt/old
umount -l /mnt/old
mount --make-rshared /
exec < /dev/null > /dev/null 2>&1
exec setpriv --bounding-set=-sys_module,-sys_time \\
    env -i container=gprov NOTIFY_SOCKET=/{ready} {path} /lib/systemd/systemd
"""


@dataclass(frozen=True, slots=True)
class BootedDebian:
    """``init``: process of its systemd."""

    root: Path
    init: int

    def under(self) -> tuple[str, ...]:
        """What stands in front of a command that runs in it, as root."""
        enter = ("nsenter", f"--target={self.init}", "--all")
        return (*enter, "env", "-i", _PATH, "HOME=/", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")

    def run(self, *command: str, expected: int = 0) -> str:
        """What it printed, errors included."""
        done = subprocess.run(
            [*self.under(), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == expected, done.stdout[-4000:]
        return done.stdout

    def active(self, unit: str) -> bool:
        return self.run("systemctl", "show", "--property=ActiveState", "--value", unit).strip() == "active"

    def main_process(self, unit: str) -> int:
        """0 for a unit that has none."""
        return int(self.run("systemctl", "show", "--property=MainPID", "--value", unit))


@contextmanager
def booted(root: Path) -> Iterator[BootedDebian]:
    """Its network is a loopback interface of its own. When it returns, all units of its start are active or failed."""
    (root / "etc/machine-id").write_text(f"{1:032x}\n")
    group = cgroup_folder() / f"gprov-test-{os.getpid()}"
    group.mkdir()
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.bind(str(root / _READY))
    ready.settimeout(SECONDS)
    inner = _INNER.format(root=shlex.quote(str(root)), ready=_READY, path=_PATH)
    start = _START.format(group=shlex.quote(str(group)), inner=shlex.quote(inner))
    process = subprocess.Popen(["sh", "-ec", start], stdin=subprocess.DEVNULL)
    try:
        while "READY=1" not in ready.recv(4096).decode().splitlines():
            pass
        yield BootedDebian(root, _child_of(process.pid))
    finally:
        os.kill(_child_of(process.pid), signal.SIGKILL)  # all other processes of its namespace end before it
        process.wait(SECONDS)
        ready.close()
        (root / _READY).unlink()
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)


def cgroup_folder() -> Path:
    """Where a cgroup2 is mounted. Raises LookupError."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split(" ")
        if kind == "cgroup2":
            return Path(place)
    raise LookupError("no cgroup2 is mounted")


def _child_of(process: int) -> int:
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(child)
