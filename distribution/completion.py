"""Completion for shells as packages install it: ``python -m distribution.completion FOLDER``.

The scripts are Typer's, which ask the program itself for each completion. In a folder of functions (zshcompsys(1),
"Autoloaded files") zsh runs the file at the first completion, and expects that to complete: Typer's only defines.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Path below the root of a system, by the name of the shell.
PLACES = {
    "bash": "usr/share/bash-completion/completions/gprov",
    "zsh": "usr/share/zsh/vendor-completions/_gprov",
    "fish": "usr/share/fish/vendor_completions.d/gprov.fish",
}
_DEFINED = "compdef _gprov_completion gprov"
_CALLED = '_gprov_completion "$@"'


def completion_script(shell: str) -> str:
    """``shell``: a key of ``PLACES``. Raises LookupError if Typer's script is not what is expected here."""
    command = [sys.executable, "-m", "gprov.apps.host.cli.main"]
    environment = {**os.environ, "_GPROV_COMPLETE": f"source_{shell}"}
    script = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    if shell != "zsh":
        return script
    first, *middle, last = script.strip().splitlines()
    if first != "#compdef gprov" or last != _DEFINED:
        raise LookupError(f"the script for zsh does not begin with #compdef and end with {_DEFINED!r}: {script!r}")
    return "\n".join([first, *middle, _CALLED, ""])


def write_scripts(root: Path) -> list[Path]:
    """``root``: of a system, or of a package's content."""
    written = []
    for shell, place in PLACES.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(completion_script(shell))
        written.append(path)
    return written


if __name__ == "__main__":
    write_scripts(Path(sys.argv[1]))
