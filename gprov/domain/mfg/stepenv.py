"""What programs of the factory get from the kernel's command line, and what a script's first line says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gprov.domain.mfg.urls import without_secrets

# Bytes of a script's first line that Linux looks at (BINPRM_BUF_SIZE).
SHEBANG_BYTES = 256
_SHELL = "sh"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Decide which programs, libraries, start-up scripts and options a program uses, or which servers it asks.
_RESERVED = re.compile(
    r"PATH|CDPATH|LOCPATH|NLSPATH|LC_ALL|IFS|ENV|HOME|PWD|TMPDIR|PS4|SHELLOPTS"
    r"|(LD_|PYTHON|PERL|BASH|GLIBC_|MALLOC_|GCONV|OPENSSL_).*"
    r"|.*(_OPTIONS|_proxy|_PROXY)"
)


def kernel_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that steps and stash scripts get. ``environment``: of process 1, which the kernel makes of its
    arguments.

    Left out: what no shell can name, and what would replace search paths or options. User names, passwords and queries
    are removed from URLs.
    """
    return {
        name: without_secrets(value)
        for name, value in environment.items()
        if _NAME.fullmatch(name) and not _RESERVED.fullmatch(name)
    }


def script_argv(script: str, start: bytes) -> tuple[str, ...]:
    """The command that runs a script as Linux would (execve(2), "Interpreter scripts"), executable or not.

    ``start``: its first ``SHEBANG_BYTES`` bytes. All text behind the interpreter is one argument. Without a first line
    that names an interpreter, ``sh`` runs it.
    """
    line, newline, _ = start[:SHEBANG_BYTES].partition(b"\n")
    words = line[2:].decode(errors="surrogateescape").strip(" \t\r").split(maxsplit=1)
    complete = newline or len(start) < SHEBANG_BYTES
    if not line.startswith(b"#!") or b"\0" in line or not words or not complete:
        return (_SHELL, script)
    return (*words, script)
