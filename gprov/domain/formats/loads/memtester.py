"""Exit status and output of memtester 4.6.

The status is a sum: 1 the memory could not be allocated or locked, 2 an error of an address line, 4 an error of any
other test (memtester(8)). Each wrong word is a line ``FAILURE: 0x… != 0x… at offset 0x….``; progress is drawn with
backspaces in the same lines.
"""

from __future__ import annotations

import re

_NOT_TESTED, _ADDRESS, _OTHER = 1, 2, 4
_KNOWN = _NOT_TESTED | _ADDRESS | _OTHER
_FAILURE = re.compile(rb"FAILURE: [ -~]{1,160}")
_MOST_LINES = 20


def memory_failures(status: int, output: bytes) -> tuple[str, ...] | None:
    """What is wrong with the memory, one line each; empty if nothing is. None: the memory was not tested, or the
    program ended otherwise (a signal), which says nothing about the memory."""
    if status < 0 or status & ~_KNOWN or status & _NOT_TESTED:
        return None
    lines = [match[0].decode("ascii").rstrip(" .") for match in _FAILURE.finditer(output)][:_MOST_LINES]
    if status & _ADDRESS:
        lines.insert(0, "an address line does not work")
    if status & _OTHER and not lines:
        lines.append("a pattern was not read back")
    return tuple(lines)
