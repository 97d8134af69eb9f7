"""Brings a text as a unit has shown it into the form of the texts of the runbook: without time, severity, name of a
program, colours, and breaks of lines."""

from __future__ import annotations

import re

from gprov.domain.display.text import to_ascii

# Sequences of a terminal (ECMA-48, section 5.4), also without the escape, as some programs copy them.
_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-Z\\-_]|\[[0-9;]{1,8}m")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# In front of a text: time and severity of a log, words of displays, a line of the kernel's log or of the journal.
_HEAD = re.compile(
    r"^(?:\S+Z (?:LOG|MSG|WARNING|ERROR) |Warning: |ERROR: |<\d+>|\[ *\d+\.\d+\] (?:\w+: )?"
    r"|(?:[A-Z][a-z]{2} [ \d]?\d|\d{4}-\d\d-\d\dT\S+) (?:\d\d:\d\d:\d\d )?\S+ \S+?(?:\[\d+\])?: "
    r"|gprov[a-z-]*(?:\[\d+\])?: )+"
)


def shown_line(text: str) -> str:
    """The text on one line, with single blanks."""
    plain = _CONTROLS.sub("", _SEQUENCES.sub("", text))
    return _HEAD.sub("", " ".join(plain.split()), count=1)


def squashed(text: str) -> str:
    """What of a text stays the same on each display, however that breaks its lines: printable ASCII without white
    space, in lower case."""
    return "".join(to_ascii(text).split()).lower()
