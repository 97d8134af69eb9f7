"""Exit status and output of memtester 4.6.

The status is a sum: 1 the memory could not be allocated or locked, 2 an error of an address line, 4 an error of any
other test (memtester(8)). If it cannot get or lock as much memory as it was asked for, it tests less, or memory that
may be swapped, and says so: ``got  NNMB (BYTES bytes), trying mlock ...locked.`` is what it should say. Each wrong word
is a line ``FAILURE: 0x… != 0x… at offset 0x….``; progress is drawn with backspaces in the same lines.
"""

from __future__ import annotations

import re
from itertools import islice

_NOT_TESTED, _ADDRESS, _OTHER = 1, 2, 4
_KNOWN = _NOT_TESTED | _ADDRESS | _OTHER
_FAILURE = re.compile(rb"FAILURE: [ -~]{1,160}")
_TESTED = re.compile(rb"^got +\d+MB \((\d{1,18}) bytes\), trying mlock \.\.\.locked\.", re.MULTILINE)
_MOST_LINES = 20


def wrong_words(output: bytes) -> tuple[str, ...]:
    """Lines about wrong words, the first ones; also of a program that was ended. None is printed without one."""
    found = islice(_FAILURE.finditer(output), _MOST_LINES)
    return tuple(match[0].decode("ascii").rstrip(" .") for match in found)


def memory_failures(status: int, output: bytes, size: int) -> tuple[str, ...] | None:
    """What is wrong with the memory, one line each; empty if nothing is. ``size``: bytes that were to be tested. None:
    nothing was found, but they were not all tested, or the program ended otherwise (a signal)."""
    lines = wrong_words(output)
    if lines:
        return ("an address line does not work", *lines) if status > 0 and status & _ADDRESS else lines
    tested = _TESTED.search(output)
    if tested is None or int(tested[1]) < size:
        return None
    if status < 0 or status & ~_KNOWN or status & _NOT_TESTED:
        return None
    if status & _ADDRESS:
        return ("an address line does not work",)
    return ("a pattern was not read back",) if status & _OTHER else ()
