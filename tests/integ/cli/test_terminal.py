"""What ``gprov`` writes to a terminal: colours unless NO_COLOR is set, and progress bars."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
CUTS = ("simulate", "cuts", "--count", "5", "--firmware", "uefi", "--disks", "sata")


def on_terminal(*words: str, **variables: str) -> bytes:
    """All that it writes, as a terminal gets it."""
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    reader, writer = pty.openpty()
    command = [sys.executable, "-m", "gprov.apps.host.cli.main", *words]
    with subprocess.Popen(command, stdout=writer, stderr=writer, env={**plain, "TERM": "xterm", **variables}):
        os.close(writer)
        written = b""
        try:
            while piece := os.read(reader, 65536):
                written += piece
        except OSError:  # the other end is closed
            pass
        finally:
            os.close(reader)
    return written


@pytest.mark.parametrize("words", [("image", "verify", "/nonexistent"), ("image", "list", "/nonexistent")])
def test_colours_unless_they_are_not_wanted(words: tuple[str, ...]) -> None:
    assert COLOUR.search(on_terminal(*words))
    assert b"/nonexistent" in on_terminal(*words, NO_COLOR="1")
    assert not COLOUR.search(on_terminal(*words, NO_COLOR="1"))
    assert not COLOUR.search(on_terminal(*words, TERM="dumb"))


def test_help_on_a_terminal_obeys_no_color() -> None:
    assert COLOUR.search(on_terminal("image", "--help"))
    assert not COLOUR.search(on_terminal("image", "--help", NO_COLOR="1"))


def test_progress_is_a_bar_on_a_terminal_only() -> None:
    assert re.search("first restore, uefi, sata.*━", on_terminal(*CUTS).decode())
    command = [sys.executable, "-m", "gprov.apps.host.cli.main", *CUTS]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    # A line every few seconds, on a machine that is busy.
    assert re.fullmatch(r"(.+: \d+ %\n)*", ended.stderr)
    assert "\x1b" not in ended.stdout + ended.stderr
