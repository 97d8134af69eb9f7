"""A throw-away copy of this machine in which the commands of a page run as root, with one shell for the page.

The root is an overlay of this machine's, with the changes in memory; processes, mounts and (if wanted) the network are
those of the page alone. All of it is gone with the shell.
"""

from __future__ import annotations

import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
HOME = "/root"
_PROMPT_ENDS = (b": ", b"? ", b"] ")
_END_SECONDS = 20.0

_SETUP = """
set -e
mount -t tmpfs -o size=75% changes {work}
mkdir {work}/upper {work}/overlay {work}/root
mount -t overlay -o lowerdir=/,upperdir={work}/upper,workdir={work}/overlay overlay {work}/root
cd {work}/root
mount --rbind /dev dev
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs run run
mount -t tmpfs root root
for path in {shared}; do mkdir -p .$path; mount --bind $path .$path; done
ln -s {checkout} root/gprov
mkdir -p root/{folder}
mount --bind {files} root/{folder}
{more}
exec chroot . /bin/bash --noprofile --norc {home}/.driver
"""

# An interface with the address of the examples.
FACTORY_NETWORK = """
ip link set lo up
ip link add eth1 type veth peer name eth1-peer
ip link set eth1-peer up
ip address add 10.1.0.1/24 dev eth1
ip link set eth1 up
"""

# Numbers of blocks come in at one descriptor, and go out at another one when the block has ended well.
_DRIVER = """
cd {home}
set -e -o pipefail
while read -r number <&{orders}; do
    . {home}/.block-$number >{home}/.output-$number 2>&1
    echo "$number" >&{answers}
done
"""


@dataclass(frozen=True, slots=True)
class Done:
    """``passed``: every command had the exit status 0."""

    passed: bool
    output: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """``own_network``: commands of a shell that configure a network of the page's own; "" for this machine's network.
    ``shared``: folders of this machine that the page reads and changes. ``before``: commands for the copy of this
    machine, before the shell starts, in its root folder. ``seconds``: for one block. ``folder``: of the page, in its
    home folder."""

    own_network: str = FACTORY_NETWORK
    shared: Sequence[str] = ()
    before: str = ""
    seconds: float = 120.0
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "tutorial"


class PageShell:
    """The shell of one page. ``files``: folder that is the page's working folder, also outside of the sandbox."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int, pipes: tuple[int, int], files: Path) -> None:
        self._process = process
        self._terminal = terminal
        self._orders, self._answers = pipes
        self._files = files
        self._number = 0
        self._shown = b""

    def run(self, text: str, typed: Sequence[str], seconds: float) -> Done:
        """``typed``: lines for the prompts that appear on the terminal."""
        self._number += 1
        (self._files / f".block-{self._number}").write_text(text)
        os.write(self._orders, f"{self._number}\n".encode())
        began = time.monotonic()
        passed = self._wait(list(typed), began + seconds)
        printed = self._files / f".output-{self._number}"
        output = printed.read_bytes().decode(errors="replace") if printed.exists() else ""
        if not passed:
            output += f"\n(on the terminal: {self._shown.decode(errors='replace')})\n"
        if time.monotonic() - began >= seconds:
            output += f"\n(no end within {seconds:.0f} s)\n"
        return Done(passed, output, time.monotonic() - began)

    def _wait(self, typed: list[str], deadline: float) -> bool:
        waiting = [self._answers, self._terminal]
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select(waiting, [], [], left)
            if self._terminal in ready:
                shown = _read(self._terminal)
                self._shown += shown
                if not shown:
                    waiting.remove(self._terminal)
                if typed and shown.endswith(_PROMPT_ENDS):
                    os.write(self._terminal, f"{typed.pop(0)}\n".encode())
            if self._answers in ready:
                return bool(_read(self._answers)) and not typed
        return False


def _read(descriptor: int) -> bytes:
    """Empty if the other end is closed (of a terminal: EIO)."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@contextmanager
def page_shell(files: Path, work: Path, around: Surroundings) -> Iterator[PageShell]:
    """``work``: an empty folder, for the mounts."""
    network = ["--net"] if around.own_network else []
    home = f"{HOME}/{around.folder}"
    values = {
        "home": home,
        "work": shlex.quote(str(work)),
        "files": shlex.quote(str(files)),
        "shared": " ".join(map(shlex.quote, around.shared)),
        "checkout": shlex.quote(str(CHECKOUT)),
        "folder": around.folder,
        "more": around.own_network + around.before,
    }
    orders, answers = os.pipe(), os.pipe()
    terminal, inner = pty.openpty()
    (files / ".driver").write_text(_DRIVER.format(home=home, orders=orders[0], answers=answers[1]))
    process = subprocess.Popen(
        ["setsid", "--ctty", "unshare", "--mount", "--pid", *network, "--fork", "--kill-child", "/bin/sh", "-c",
         _SETUP.format(**values)],
        stdin=inner, stdout=inner, stderr=inner, pass_fds=(orders[0], answers[1]),
        env=_environment(around),
    )  # fmt: skip
    for descriptor in (orders[0], answers[1], inner):
        os.close(descriptor)
    try:
        yield PageShell(process, terminal, (orders[1], answers[0]), files)
    finally:
        os.close(orders[1])
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        os.close(answers[0])
        os.close(terminal)
        _detach_loops(files)


def _detach_loops(files: Path) -> None:
    """Loop devices outlive the mounts and processes of a page."""
    listed = subprocess.run(
        ["losetup", "--list", "--noheadings", "--raw", "--output", "NAME,BACK-INO"],
        capture_output=True,
        text=True,
        check=True,
    )
    of_page = {path.stat().st_ino for path in files.rglob("*") if path.is_file() and not path.is_symlink()}
    for line in listed.stdout.splitlines():
        name, inode = line.split()
        if int(inode) in of_page:
            subprocess.run(["losetup", "--detach", name], check=False)


def _environment(around: Surroundings) -> dict[str, str]:
    return {
        "HOME": HOME,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(CHECKOUT),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "COLUMNS": "110",
        **around.environment,
    }
