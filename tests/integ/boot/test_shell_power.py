"""The shell of ``NO_REBOOT``, started by a process that becomes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Becomes the shell.
PROGRAM = """
import sys
from gprov.adapters.linux.system.shell_power import ShellPower

console, shell, cap = sys.argv[1:]

def end_unsealing():
    open(cap, "x").close()

ShellPower(end_unsealing, shell=shell, console=console).reboot()
"""


def test_the_shell_opens_on_the_console_after_the_cap(tmp_path: Path) -> None:
    shell, console, cap = tmp_path / "shell", tmp_path / "console", tmp_path / "cap"
    console.touch()
    shell.write_text(f"#!/bin/sh\ntest -e {cap} && echo capped; echo errors >&2\n")
    shell.chmod(0o755)
    command = [sys.executable, "-c", PROGRAM, str(console), str(shell), str(cap)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    shown = console.read_text()
    assert shown.endswith("NO_REBOOT is set: a shell instead of a restart\ncapped\nerrors\n")
