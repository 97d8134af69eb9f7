"""Kernel arguments that a unit's boot entries keep from one restore to the next: ``boot.args`` on RECOVERY.

Entries and menus are made anew by every restore. Without this file, words that only the factory knew (a workaround for
the hardware, say) would be gone with the second one, and all of them with a restore that was started by a firmware
without its variables, which passes no arguments.
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

# No boot entry can hold more.
MAX_BYTES = 4096


def parse_kept(what: str, data: bytes) -> str:
    """The words, blanks or line ends between them: a person may edit this. Raises BadInput: not printable ASCII, or
    more than ``MOST_BYTES``."""
    if len(data) > MAX_BYTES:
        raise BadInput(what, [Problem("", f"more than {MAX_BYTES} bytes")])
    text = " ".join(data.decode("latin-1").split())
    if not (text.isascii() and text.isprintable()):
        raise BadInput(what, [Problem("", "must be printable ASCII")])
    return without_mode_arguments(text)


def serialise_kept(arguments: str) -> bytes:
    return f"{arguments}\n".encode("ascii", "replace") if arguments else b""


def entry_arguments(kept: str, given: str, arguments: BootArguments) -> str:
    """What the boot entries pass on, besides what each entry is for. ``kept``: from earlier restores; ``given``: for
    this one, by a person or the factory; ``arguments``: of this start.

    Everything stays until somebody says otherwise: a value that this start was told replaces the kept one, and a given
    one both. Places stay, too, so that entries which say the same are not written again.

    Who started the kernel, only a boot loader can say, and of one start: a normal start that called itself the loader's
    fallback would restore a unit whose loader is the firmware, each time; one that called itself none, where the loader
    does start recovery by itself, as well.
    """
    told = _override(join_arguments(kept, given), persistent_arguments(arguments))
    words = kernel_words(without_mode_arguments(_override(told, given)))
    return join_arguments(*(word for word in words if _key(word) != arguments.prefix + FALLBACK_ARGUMENT))


def _override(arguments: str, by: str) -> str:
    """``by`` has the say about every key that it names: ``console`` has as many values there as it should have."""
    values = {_key(word): [each for each in kernel_words(by) if _key(each) == _key(word)] for word in kernel_words(by)}
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
