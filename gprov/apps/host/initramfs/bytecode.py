"""Reproducible sourceless bytecode.

A ``.pyc`` file is a header of 16 bytes (magic number, flags, and for flags 0 date and size of the source, which
nobody checks if there is no source) and the marshalled code object; see importlib._bootstrap_external.
"""

from __future__ import annotations

import importlib.util
import marshal
from collections.abc import Iterator
from types import CodeType

from gprov.domain.errors import BadInput, Problem

_HEADER = importlib.util.MAGIC_NUMBER + bytes(12)


def compiled(source: bytes, name: str, optimize: int) -> bytes:
    """The ``.pyc`` content for a source text. ``name`` stands in tracebacks in place of the host's path."""
    try:
        code = compile(source, name, "exec", dont_inherit=True, optimize=optimize)
    except (SyntaxError, ValueError) as exc:
        raise BadInput(name, [Problem("", f"cannot be compiled: {exc}")]) from exc
    # marshal marks an object as shareable if something else refers to it at this moment, so that the bytes depend
    # on which names the rest of the process happens to know. Holding on to every string makes it always so.
    held = list(texts(code))
    content = marshal.dumps(code)
    del held
    return _HEADER + content


def texts(value: object) -> Iterator[str]:
    """Every text inside a code object, names and constants alike."""
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
        case _:  # numbers, bytes, None, Ellipsis: never shared with the rest of the process, or always
            return
