"""Secrets that a command gets from a person at a terminal, or from a file descriptor: never in arguments."""

from __future__ import annotations

import os

from gprov.domain.errors import BadInput, DeviceFault, Problem
from gprov.domain.unit.credentials import Secret

_MOST = 4096


def asked_secret(noun: str, prompt: str, *, new: bool) -> Secret:
    """``noun``: passphrase or password, as in the option that takes it from a file descriptor; ``new``: it is being
    chosen, and asked for twice. Raises BadInput if standard input is no terminal."""
    from getpass import getpass

    if not os.isatty(0):
        raise BadInput(noun, [Problem("", f"standard input is no terminal to ask on: give --{noun}-fd")])
    typed = getpass(f"{prompt}: ")
    if new and getpass("Once more: ") != typed:
        raise BadInput(noun, [Problem("", "the two are not the same")])
    return Secret(typed)


def read_secret(noun: str, descriptor: int) -> Secret:
    """The first line. Raises BadInput, DeviceFault."""
    content = b""
    try:
        while b"\n" not in content and len(content) <= _MOST and (part := os.read(descriptor, _MOST)):
            content += part
    except OSError as exc:
        raise DeviceFault(f"file descriptor {descriptor}", f"cannot be read: {exc.strerror}") from exc
    line = content.partition(b"\n")[0]
    if not line or len(line) > _MOST:
        where = f"file descriptor {descriptor}"
        raise BadInput(where, [Problem("", f"must have a {noun} of at most {_MOST} bytes in its first line")])
    return Secret(line.decode("utf-8", "surrogateescape"))
