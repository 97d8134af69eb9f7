"""Completion in bash, zsh and fish, from the files that packages install."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from distribution.completion import PLACES, write_scripts
from tests.integ.setup.commands import GPROV

pytestmark = pytest.mark.skipif(not all(map(shutil.which, PLACES)), reason="needs bash, zsh and fish")
SECONDS = 60.0
CHECK = {"bash": ("bash", "-n"), "zsh": ("zsh", "-n"), "fish": ("fish", "--no-execute")}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("root")
    assert len(write_scripts(made)) == len(PLACES)
    return made


def environment(home: Path, root: Path) -> dict[str, str]:
    """The shells find the files where packages install them, below ``root``."""
    plain = {name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "LANG")}
    path = f"{Path(GPROV).parent}:/usr/bin:/bin"
    return {**plain, "PATH": path, "HOME": str(home), "TERM": "dumb", "XDG_DATA_DIRS": f"{root}/usr/share"}


@pytest.mark.parametrize("shell", PLACES)
def test_the_shell_can_parse_it(root: Path, shell: str) -> None:
    command = [*CHECK[shell], str(root / PLACES[shell])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_bash_completes(root: Path, tmp_path: Path) -> None:
    """The package bash-completion loads the file, and calls the function that it names."""
    script = (
        "source /usr/share/bash-completion/bash_completion\n"
        "_completion_loader gprov\n"
        "COMP_WORDS=(gprov server in); COMP_CWORD=2\n"
        "$(complete -p gprov | sed 's/.*-F \\([^ ]*\\).*/\\1/') gprov in server\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    assert printed(["bash", "--norc", "-c", script], environment(tmp_path, root)).split() == ["init"]


def test_fish_completes(root: Path, tmp_path: Path) -> None:
    script = "complete --do-complete 'gprov simulate li'"
    assert printed(["fish", "--command", script], environment(tmp_path, root)).split()[0] == "lifecycle"


def printed(command: list[str], variables: dict[str, str]) -> str:
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def interactive(command: list[str], variables: dict[str, str]) -> Iterator[int]:
    """The terminal of a shell that a person uses."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, start_new_session=True
    ) as shell:
        os.close(theirs)
        try:
            yield ours
        finally:
            shell.kill()
            os.close(ours)


def read_until(terminal: int, wanted: bytes) -> bytes:
    """What it shows, up to these bytes."""
    seen, deadline = b"", time.monotonic() + SECONDS
    while wanted not in seen:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} was not shown: {seen!r}"
        seen += os.read(terminal, 65536)
    return seen


def test_zsh_completes_at_the_first_tab(root: Path, tmp_path: Path) -> None:
    """From a folder of functions, as Debian's zsh has it."""
    functions = (root / PLACES["zsh"]).parent
    with interactive(["zsh", "-f", "-i"], environment(tmp_path, root)) as terminal:
        setup = f"PS1='re''ady> '; fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D\n"
        os.write(terminal, setup.encode())
        read_until(terminal, b"ready> ")
        os.write(terminal, b"gprov simulate li\t")
        read_until(terminal, b"lifecycle")
