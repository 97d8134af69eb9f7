"""Process that fuzzes one target: ``python -m fuzz.one NAME [options of libFuzzer] FOLDER…``.

libFuzzer ends the process when it has finished or found a defect, so each target has its own process.
"""

from __future__ import annotations

import random
import sys

import atheris

with atheris.instrument_imports(include=["gprov", "fuzz", "zlib", "json", "urllib", "ipaddress"]):
    from fuzz.catalogue import target
    from fuzz.harness import INSTRUMENTED_TIME_FACTOR, MAX_INPUT, run_target


def main() -> None:
    chosen = target(sys.argv[1])
    atheris.Setup(
        [sys.argv[0], *sys.argv[2:]],
        lambda data: run_target(chosen, bytes(data), INSTRUMENTED_TIME_FACTOR),
        custom_mutator=mutated,
    )
    atheris.Fuzz()


def mutated(data: bytes, max_length: int, seed: int) -> bytes:
    """Mutate an input, mostly with libFuzzer. With probability 1/64, repeat one piece up to the maximum length, to find
    parsers that need more than linear time."""
    choice = random.Random(seed)
    data = bytes(data)
    if data and choice.random() < 1 / 64:
        start = choice.randrange(len(data))
        piece = data[start : start + choice.choice((1, 2, 8, 32, 128, 512, 1024))]
        free = min(choice.choice((4096, MAX_INPUT)), MAX_INPUT) - len(data)
        return data[:start] + piece * max(1, free // len(piece)) + data[start + len(piece) :]
    return bytes(atheris.Mutate(data, max_length))


if __name__ == "__main__":
    main()
