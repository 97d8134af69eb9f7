"""Compiles reproducible bytecode without sources.

A ``.pyc`` file is a header of 16 bytes (magic number, flags, and for flags 0 date and size of the source, which are
not checked without a source) and the marshalled code object; see importlib._bootstrap_external.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from collections.abc import Iterator, Mapping
from types import CodeType

from gprov.domain.errors import BadInput, Problem

_HEADER = importlib.util.MAGIC_NUMBER + bytes(12)

# Strings of one character are shared by all of a process, and marshal writes whether any code interned them.
for _character in range(256):
    sys.intern(chr(_character))


def compiled(source: bytes, name: str, optimize: int) -> bytes:
    """Return the ``.pyc`` content of a source text. ``name`` replaces the host's path in tracebacks."""
    try:
        code = compile(source, name, "exec", dont_inherit=True, optimize=optimize)
    except (SyntaxError, ValueError) as exc:
        raise BadInput(name, [Problem("", f"cannot be compiled: {exc}")]) from exc
    return _HEADER + _dumped(code, texts(code))


def code_of(content: bytes) -> CodeType:
    """Return the code object of the content of a ``.pyc`` file."""
    code = marshal.loads(content[len(_HEADER) :])  # noqa: S302 - made by this module
    assert isinstance(code, CodeType)
    return code


def marshalled(codes: Mapping[str, tuple[bool, CodeType]]) -> bytes:
    """Return the content of the file of ``buildroot/initramfs/boot_importer.py``: for each module whether it is a
    package, and its code."""
    ordered = dict(sorted(codes.items()))
    held = (text for name, (_, code) in ordered.items() for text in (name, *texts(code)))
    return _dumped(ordered, held)


def _dumped(value: CodeType | dict[str, tuple[bool, CodeType]], strings: Iterator[str]) -> bytes:
    """``strings``: all that are in the value. marshal sets a flag on objects with further references, so its output
    depends on the strings in use elsewhere in the process. A further reference to every string makes the output
    constant."""
    held = list(strings)
    content = marshal.dumps(value)
    del held
    return content


def texts(value: object) -> Iterator[str]:
    """Yield every string in a code object: names and constants."""
    match value:
        case str():
            yield value
        case tuple() | frozenset():
            for part in value:
                yield from texts(part)
        case CodeType():
            yield from texts((value.co_filename, value.co_name, value.co_qualname))
            yield from texts((value.co_names, value.co_varnames, value.co_cellvars, value.co_freevars))
            yield from texts(value.co_consts)
        case _:  # numbers, bytes, None, Ellipsis: their number of references does not vary
            return
