"""What programs of the factory get from the kernel's command line, and what a script's first line says. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gprov.domain.mfg.urls import without_secrets

# Bytes of a script's first line that Linux looks at (BINPRM_BUF_SIZE).
SHEBANG_BYTES = 256
_SHELL = "sh"
_SEARCHER = "env"
_ELF = b"\x7fELF"
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
    return (*(_shebang(start) or [_SHELL]), script)


def interpreter(start: bytes) -> str | None:
    """The program that a file's first line asks for: a path, or a name if ``env`` is to search it. None: the line names
    none. ``start``: its first ``SHEBANG_BYTES`` bytes."""
    words = " ".join(_shebang(start)).split()
    if not words:
        return None
    if words[0].rpartition("/")[2] != _SEARCHER:
        return words[0]
    return next((word for word in words[1:] if not word.startswith("-") and "=" not in word), words[0])


def why_not_started(start: bytes, has: Callable[[str], bool]) -> str:
    """Why Linux finds no program to run a file with, though the file is there; "" for no such reason. ``start``: as in
    ``script_argv``; ``has``: whether the system has a program."""
    program = interpreter(start)
    if program is not None and not has(program):
        return f"its first line names {program}, which the provisioning system does not have: write it for {_SHELL}"
    if start.startswith(_ELF):
        return "the loader that this program names is missing; 32-bit programs need libraries_32 in the initramfs"
    return ""


def _shebang(start: bytes) -> list[str]:
    """Interpreter and, if there is one, its argument; empty without a valid first line."""
    line, newline, _ = start[:SHEBANG_BYTES].partition(b"\n")
    words = line[2:].decode(errors="surrogateescape").strip(" \t\r").split(maxsplit=1)
    complete = newline or len(start) < SHEBANG_BYTES
    return words if line.startswith(b"#!") and b"\0" not in line and complete else []
