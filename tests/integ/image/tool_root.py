"""A root file system with gprov's tools, as a unit has it, and its tools run by chroot in it.

Two kinds: busybox alone, so neither Python nor any other program is there; and the programs of this machine's Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gprov.apps.host.image.tool_sets import ALL_TOOLS

KINDS = ("busybox alone", "Debian")
# What each tool needs is stated in its head; these are all of them.
APPLETS = (
    *("awk", "cat", "cmp", "cp", "date", "dd", "find", "head", "id", "ls", "mkdir", "mktemp", "mv", "od", "readlink"),
    *("rm", "sed", "sh", "sleep", "stty", "sync", "tar", "touch", "tr", "uname", "wc", "xz"),
)
FSTAB = "LABEL=PRIMARY / ext4 relatime 0 1\nUUID=1-2 /mnt/RECOVERY ext4 auto,nofail 0 2\n"


def capable() -> bool:
    return os.geteuid() == 0 and all(shutil.which(tool) for tool in ("busybox", "unshare", "mount"))


@dataclass
class ToolRoot:
    """``folder``: the root. ``mounts``: commands of a shell that run in a mount namespace of their own before each
    tool, and do not outlive it. ``recovery``: what the tools see as RECOVERY, if it is mounted."""

    folder: Path
    kind: str
    mounts: list[str]
    recovery_mounted: bool = True

    @property
    def sys(self) -> Path:
        """What the tools see as /sys."""
        return self.folder.parent / "sys"

    @property
    def config(self) -> Path:
        return self.folder / "etc/provisioning"

    @property
    def recovery(self) -> Path:
        return self.folder.parent / "recovery"

    def run(
        self, *words: str, stdin: str | None = None, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        mounts = list(self.mounts)
        if self.recovery_mounted:
            mounts.append(f"mount --bind {self.recovery} {self.folder}/mnt/RECOVERY")
        script = " && ".join([*mounts, f'exec chroot {self.folder} "$@"'])
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})}
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *words],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def output(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        assert done.stderr == "", (words, done.stderr)
        return done.stdout

    def values(self, *words: str) -> dict[str, str]:
        """Of a tool that prints KEY=VALUE."""
        return dict(line.split("=", 1) for line in self.output(*words).splitlines())

    def without(self, program: str) -> None:
        """An image that does not have this program."""
        (self.folder / "usr/bin" / program).unlink()


def make_root(folder: Path, kind: str, applets: Sequence[str] = APPLETS) -> ToolRoot:
    root = folder / "root"
    for name in (
        "etc/provisioning",
        "mnt/RECOVERY",
        "proc",
        "sys",
        "dev",
        "run",
        "tmp",
        "usr/lib/systemd/system",
        "usr/bin",
    ):
        (root / name).mkdir(parents=True)
    (folder / "sys").mkdir()
    (folder / "recovery").mkdir()
    (folder / "recovery/log").mkdir()
    (folder / "recovery/Image").mkdir()
    ALL_TOOLS.install(str(root))
    (root / "etc/fstab").write_text(FSTAB)
    for link in ("bin", "sbin", "lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    mounts = [
        f"mount -t proc proc {root}/proc",
        f"mount --bind {folder}/sys {root}/sys",
        f"mount --rbind /dev {root}/dev",
    ]
    if kind == KINDS[0]:
        shutil.copy(shutil.which("busybox") or "", root / "usr/bin/busybox")
        for applet in applets:
            (root / "usr/bin" / applet).symlink_to("busybox")
    else:
        # The tools over this machine's /usr.
        shutil.copytree("/etc/alternatives", root / "etc/alternatives", symlinks=True)
        mounts.append(f"mount -t overlay overlay -o lowerdir={root}/usr:/usr {root}/usr")
    return ToolRoot(root, kind, mounts)


def add_program(root: ToolRoot, name: str) -> None:
    """A program of this machine with its libraries, for a root with busybox alone."""
    path = shutil.which(name)
    assert path is not None, name
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=True, timeout=60).stdout
    for word in listed.split():
        if word.startswith("/"):
            target = root.folder / "usr" / word.removeprefix("/usr").lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, target)
    shutil.copy(path, root.folder / "usr/bin" / name)
