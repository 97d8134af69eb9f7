"""Process that fuzzes targets one after the other: ``python -m fuzz.one``.

It instruments the parsers once, which takes longer than a short run. libFuzzer ends its process when it has finished or
found a defect, so each target runs in a child of its own. Standard input has a line for each run: a JSON list of the
file for the output, the name of the target, and options and folders of libFuzzer. Standard output gets a line with the
exit status when the child has ended.
"""

from __future__ import annotations

import json
import os
import random
import sys

import atheris

with atheris.instrument_imports(include=["gprov", "fuzz", "zlib", "json", "urllib", "ipaddress"]):
    from fuzz.catalogue import target
    from fuzz.harness import INSTRUMENTED_TIME_FACTOR, MAX_INPUT, run_target


def main() -> None:
    for line in sys.stdin:
        output, name, *options = json.loads(line)
        child = os.fork()
        if child == 0:
            run(output, name, options)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(output: str, name: str, options: list[str]) -> None:
    """Ends the process."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    chosen = target(name)
    atheris.Setup(
        [name, *options],
        lambda data: run_target(chosen, bytes(data), INSTRUMENTED_TIME_FACTOR),
        custom_mutator=mutated,
    )
    atheris.Fuzz()
    os._exit(0)


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
