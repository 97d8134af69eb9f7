"""What commands print: lines in which control characters are escaped, and JSON documents.

Names of files and texts of firmware may hold anything, such as escape sequences that a terminal obeys.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from gprov.domain.formats.printable import printable_text

_COLOURS = {"red": "\x1b[31m", "green": "\x1b[32m", "yellow": "\x1b[33m"}
_PLAIN = "\x1b[0m"


def say(line: str, *, err: bool = False, colour: str = "") -> None:
    """Print one line to standard output or standard error. ``colour``: red, green or yellow, if a terminal shows it."""
    stream = sys.stderr if err else sys.stdout
    text = printable_text(line)
    if colour and has_colours(stream):
        text = f"{_COLOURS[colour]}{text}{_PLAIN}"
    print(text, file=stream, flush=True)


def document(value: object) -> None:
    """Print a JSON document, in ASCII."""
    print(json.dumps(value, indent=2), flush=True)


def quoted_name(name: str) -> str:
    """A file's name where a line begins with it: in quotes if it is empty or has control characters."""
    return name if name and name.isprintable() else repr(name)


def has_colours(stream: TextIO) -> bool:
    """A terminal, unless the environment has NO_COLOR (https://no-color.org) or says that it shows none."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
