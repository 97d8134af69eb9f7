"""Kept arguments: kernel arguments in ``boot.args`` on RECOVERY that every restore writes to the boot entries.

Every restore writes entries and menus anew. Without this file, arguments set in the factory (a hardware workaround,
for example) would be lost at the second restore, and all arguments at a restore that is started without arguments by
firmware that lost its variables.
"""

from __future__ import annotations

from collections.abc import Iterable

from gprov.domain.boot.args import (
    FALLBACK_ARGUMENT,
    BootArguments,
    join_arguments,
    kernel_words,
    persistent_arguments,
    without_mode_arguments,
)
from gprov.domain.errors import BadInput, Problem

# Limit of a boot entry.
MAX_BYTES = 4096


def parse_kept(source: str, data: bytes) -> str:
    """Arguments separated by blanks or line ends (the file may be edited by hand). ``source`` names the file. Raises
    BadInput: not printable ASCII, or more than ``MAX_BYTES``."""
    if len(data) > MAX_BYTES:
        raise BadInput(source, [Problem("", f"more than {MAX_BYTES} bytes")])
    text = " ".join(data.decode("latin-1").split())
    if not (text.isascii() and text.isprintable()):
        raise BadInput(source, [Problem("", "must be printable ASCII")])
    return without_mode_arguments(text)


def serialise_kept(arguments: str) -> bytes:
    return f"{arguments}\n".encode("ascii", "replace") if arguments else b""


def entry_arguments(kept: str, given: str, arguments: BootArguments) -> str:
    """Return the arguments for the boot entries, without mode arguments. ``kept``: from earlier restores; ``given``: by
    restore options or provisioning; ``arguments``: of this boot.

    Precedence by key: given, then this boot, then kept. The order of the words stays, so that unchanged entries are not
    written again.

    ``LOADER_FALLBACK`` is removed: it is valid for a single boot. In a boot entry it would make every normal boot a
    fallback boot and could cause a restore each time.
    """
    current = _override(join_arguments(kept, given), persistent_arguments(arguments))
    words = kernel_words(without_mode_arguments(_override(current, given)))
    return join_arguments(*(word for word in words if _key(word) != arguments.prefix + FALLBACK_ARGUMENT))


def _override(arguments: str, by: str) -> str:
    """Replace all values of each key in ``by``. A key may have several values there (``console``)."""
    values: dict[str, list[str]] = {}
    for word in kernel_words(by):
        values.setdefault(_key(word), []).append(word)
    return " ".join(_replaced(kernel_words(arguments), values))


def _replaced(words: Iterable[str], values: dict[str, list[str]]) -> list[str]:
    result: list[str] = []
    waiting = dict(values)
    for word in words:
        if _key(word) not in values:
            result.append(word)
        else:
            result += waiting.pop(_key(word), [])
    return [*result, *(word for group in waiting.values() for word in group)]


def _key(word: str) -> str:
    return word.replace('"', "").partition("=")[0]
