"""The process that fuzzes one target: ``python -m fuzz.one NAME [options of libFuzzer] FOLDER…``.

libFuzzer ends the process when it is done or has found something, so each target has one of its own.
"""

from __future__ import annotations

import random
import sys

import atheris

with atheris.instrument_imports(include=["gprov", "fuzz", "zlib", "json", "urllib", "ipaddress"]):
    from fuzz.catalogue import target
    from fuzz.harness import LONGEST, SLOWER_WHEN_COUNTED, judge


def main() -> None:
    chosen = target(sys.argv[1])
    atheris.Setup(
        [sys.argv[0], *sys.argv[2:]],
        lambda data: judge(chosen, bytes(data), SLOWER_WHEN_COUNTED),
        custom_mutator=mutated,
    )
    atheris.Fuzz()


def mutated(data: bytes, longest: int, seed: int) -> bytes:
    """Mostly libFuzzer's own mutations. Now and then one piece repeated as often as there is room: it shows what takes
    more than linear time, which small mutations of small inputs never do."""
    choice = random.Random(seed)
    data = bytes(data)
    if data and choice.random() < 1 / 64:
        start = choice.randrange(len(data))
        piece = data[start : start + choice.choice((1, 2, 8, 32, 128, 512, 1024))]
        room = min(choice.choice((4096, LONGEST)), LONGEST) - len(data)
        return data[:start] + piece * max(1, room // len(piece)) + data[start + len(piece) :]
    return bytes(atheris.Mutate(data, longest))


if __name__ == "__main__":
    main()
