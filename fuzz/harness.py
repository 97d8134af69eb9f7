"""What a fuzz target is, and the one rule that all of them are held to.

Any bytes become a value or a GprovError: no other exception, never more than so much time and memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gprov.domain.errors import GprovError

LONGEST = 64 << 10  # bytes of one input
SECONDS = 1.0  # of processor time
MEMORY = 64 << 10  # KiB by which the largest size of the process may grow
# Counting every branch costs: while fuzzing, the limit is so many times higher, and what is found is judged again.
SLOWER_WHEN_COUNTED = 4.0

Check = Callable[[bytes], None]


class Defect(Exception):
    """A target broke the rule without an exception of its own: too slow, too large, or a wrong answer."""


@dataclass(frozen=True, slots=True)
class Target:
    """``check`` feeds bytes to a parser and looks at what comes out; GprovError is a valid outcome. ``seeds`` makes
    real inputs. ``words``: what a mutation may put in. ``seal`` puts right what random bytes never have (checksums,
    lengths), so that mutations get behind it."""

    name: str
    parser: str
    check: Check
    seeds: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()
    seal: Callable[[bytes], bytes] = bytes


def judge(target: Target, data: bytes, slower: float = 1.0) -> None:
    """Raises what the target should not, or Defect."""
    sealed = target.seal(data[:LONGEST])
    before = _largest(anew=True)
    start = time.process_time()
    try:
        target.check(sealed)
    except GprovError as error:
        _renders(error)
    took = time.process_time() - start
    grown = _largest() - before
    if took > SECONDS * slower:
        raise Defect(f"{target.name}: took {took:.1f} s for {len(sealed)} bytes")
    if grown > MEMORY:
        raise Defect(f"{target.name}: took {grown >> 10} MiB for {len(sealed)} bytes")


def expect(holds: bool, what: str) -> None:
    """A property of a parsed value."""
    if not holds:
        raise Defect(what)


def _renders(error: GprovError) -> None:
    """Errors are shown and sent: they must be text that can be."""
    for line in (str(error), *error.details()):
        line.encode("utf-8", "surrogateescape")


def _largest(*, anew: bool = False) -> int:
    """The most memory that this process had at a time, KiB; ``anew``: from now on (proc(5), clear_refs). What getrusage
    tells is of its whole life, in which it may have been larger."""
    if anew:
        with open("/proc/self/clear_refs", "w") as clear:
            clear.write("5")
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
