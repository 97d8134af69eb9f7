"""Fuzz the parsers: ``python -m fuzz [--seconds N] [--corpus FOLDER] [TARGET…]``.

One target after the other, with low priority. Prints a table. Inputs that break the rule are kept in
the corpus folder and run again without instrumentation; a confirmed defect makes the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from fuzz.catalogue import TARGETS, target
from fuzz.harness import MAX_INPUT, Target, run_target

_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_SECONDS = re.compile(r"in (\d+) second")
_MEMORY = "-rss_limit_mb=1024"
# For instrumenting the parsers, and for a run longer than it should take.
_SPARE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Run:
    executions: int
    seconds: int
    found: tuple[Path, ...]
    output: str


def _target(name: str) -> Target:
    try:
        return target(name)
    except KeyError:
        raise argparse.ArgumentTypeError(f"unknown target {name!r}") from None


class Fuzzer:
    """The process that runs targets (fuzz.one), in a process group of its own. ``log``: file for what it says, apart
    from the runs."""

    def __init__(self, log: Path) -> None:
        argv = ["nice", "-n", "19", sys.executable, "-m", "fuzz.one"]
        self._log = log
        with log.open("w") as said:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, start_new_session=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def run(self, words: list[str], seconds: float) -> None:
        """``words``: as in fuzz.one. Raises TimeoutError; RuntimeError if the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], seconds + _SPARE_SECONDS)[0]:
            raise TimeoutError(f"{words[1]} did not end in {seconds + _SPARE_SECONDS:.0f} s")
        if not self._process.stdout.readline():
            raise RuntimeError(f"fuzz.one ended:\n{self._log.read_text()[-2000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="per target")
    parser.add_argument(
        "--corpus", type=Path, default=Path("out/fuzz"), help="folder of inputs that reach new code, and of finds"
    )
    known = ", ".join(one.name for one in TARGETS)
    parser.add_argument("targets", nargs="*", type=_target, metavar="TARGET", help=f"of {known}")
    args = parser.parse_args()
    chosen = tuple(args.targets) or TARGETS
    width = max(len(one.name) for one in chosen)
    print(f"{'target':{width}} {'executions':>11} {'seconds':>8}  defects", flush=True)
    failed = total = spent = 0
    args.corpus.mkdir(parents=True, exist_ok=True)
    with Fuzzer(args.corpus / "instrumentation.log") as fuzzer:
        for one in chosen:
            run = fuzz(fuzzer, one, args.corpus / one.name, args.seconds)
            defects = [text for path in run.found if (text := defect(one, path))]
            failed += bool(defects) or not run.executions
            total += run.executions
            spent += run.seconds
            verdict = "; ".join(defects) or ("none" if run.executions else "did not run")
            print(f"{one.name:{width}} {run.executions:11,} {run.seconds:8}  {verdict}", flush=True)
            if not run.executions:
                print(run.output[-2000:], file=sys.stderr)
    print(f"{'all':{width}} {total:11,} {spent:8}  {f'in {failed} targets' if failed else 'none'}")
    return 1 if failed else 0


def fuzz(fuzzer: Fuzzer, one: Target, folder: Path, seconds: int) -> Run:
    """Run one target. ``folder``: its corpus, to which new inputs are added."""
    inputs, finds = folder / "inputs", folder / "finds"
    for path in (inputs, finds):
        path.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(one.seeds()):
        (inputs / f"seed-{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{quoted(word)}"\n' for word in one.words or (b"\0",)))
    before = set(finds.iterdir())
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT}", f"-artifact_prefix={finds}/", _MEMORY]
    options += [f"-dict={words}", "-print_final_stats=1", "-timeout=30", "-verbosity=1", str(inputs)]
    log = folder / "output"
    fuzzer.run([str(log), one.name, *options], seconds)
    output = log.read_text(errors="replace")
    executions, took = _EXECUTIONS.search(output), _SECONDS.search(output)
    found = tuple(sorted(set(finds.iterdir()) - before))
    return Run(int(executions[1]) if executions else 0, int(took[1]) if took else seconds, found, output)


def defect(one: Target, path: Path) -> str:
    """Return the defect that an input shows without instrumentation, "" if it shows none."""
    try:
        run_target(one, path.read_bytes())
    except Exception as error:  # noqa: BLE001 - any exception is a defect
        return f"{type(error).__name__}: {str(error)[:100]} ({path})"
    return ""


def quoted(word: bytes) -> str:
    """Quote a word for a dictionary of libFuzzer."""
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
