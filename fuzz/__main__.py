"""Fuzz the parsers: ``python -m fuzz [--seconds N] [--corpus FOLDER] [TARGET…]``.

One process per target, with low priority, one after the other. Prints a table. Inputs that break the rule are kept in
the corpus folder and run again without instrumentation; a confirmed defect makes the exit status 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fuzz.catalogue import TARGETS, target
from fuzz.harness import MAX_INPUT, Target, run_target

_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_SECONDS = re.compile(r"in (\d+) second")
_MEMORY = "-rss_limit_mb=1024"


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
    for one in chosen:
        run = fuzz(one, args.corpus / one.name, args.seconds)
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


def fuzz(one: Target, folder: Path, seconds: int) -> Run:
    """Run one target. ``folder``: its corpus, to which new inputs are added."""
    inputs, finds = folder / "inputs", folder / "finds"
    for path in (inputs, finds):
        path.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(one.seeds()):
        (inputs / f"seed-{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{quoted(word)}"\n' for word in one.words or (b"\0",)))
    before = set(finds.iterdir())
    argv = ["nice", "-n", "19", sys.executable, "-m", "fuzz.one", one.name]
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT}", f"-artifact_prefix={finds}/", _MEMORY]
    options += [f"-dict={words}", "-print_final_stats=1", "-timeout=30", "-verbosity=1", str(inputs)]
    done = subprocess.run([*argv, *options], capture_output=True, text=True, timeout=seconds + 300, check=False)
    output = done.stderr + done.stdout
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
