"""Mutation tests of the planners, the boot decision and the trust in images: ``python -m mutants``.

Mutants are drawn by ``--seed``, equally many of each file. Each is written into a copy of this tree, and the unit tests
run until one fails: first those nearest to the file, then those of the flows, then all others except two tests with
thousands of cuts (LIVES in the Makefile). Survivors are shown as diffs. The exit status is 1 if fewer than 90 % were
killed.
"""

from __future__ import annotations

import argparse
import difflib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

from mutants.collector import Mutant
from mutants.sites import is_another_program, mutants_of

MIN_KILLED_PCT = 90
ROOT = Path("gprov")
PLANS = tuple(f"plan/test_{name}.py" for name in ("plans_whole", "plan_bios", "image_problems", "plan_properties"))
RECOVERED = tuple(
    f"flow/test_{name}.py" for name in ("trust_chains", "trust_records", "trust_built_in", "security_floor")
)
ADMITTED = (*RECOVERED, "flow/test_trust_override.py", "flow/test_signed_images.py", "flow/test_evil_network.py")
# Mutated files, and the tests nearest to them, which run first. Paths relative to ROOT and to tests/unit.
NEAREST: dict[str, tuple[str, ...]] = {
    "domain/plan/bios.py": PLANS,
    "domain/plan/disk_operations.py": (*PLANS, "apps/test_executor.py"),
    "domain/plan/file_operations.py": (*PLANS, "apps/test_executor.py"),
    "domain/plan/kernels.py": PLANS,
    "domain/plan/provision.py": PLANS,
    "domain/plan/preconditions.py": PLANS,
    "domain/plan/restore.py": PLANS,
    "domain/plan/restore_facts.py": PLANS,
    "domain/plan/system_files.py": PLANS,
    "domain/boot/decisions.py": ("boot/test_decision.py",),
    "domain/boot/boot_counts.py": ("boot/test_boot_counts.py",),
    "domain/boot/budget.py": ("boot/test_budget.py",),
    "domain/boot/decide.py": ("boot/test_decision.py",),
    "domain/boot/decide_root.py": ("boot/test_decision.py",),
    "domain/boot/decide_request.py": ("boot/test_boot_request.py",),
    "domain/boot/boot_request.py": ("boot/test_boot_request.py",),
    "domain/boot/decide_arrays.py": ("boot/test_decision.py",),
    "domain/boot/entries.py": ("boot/test_entries.py",),
    "domain/boot/kept_arguments.py": ("boot/test_keptargs.py",),
    "domain/boot/boot_partition.py": ("boot/test_boot_partition.py",),
    "domain/boot/survey.py": ("boot/test_survey.py",),
    "domain/disk/layout.py": ("disk/test_plan_layout.py", "plan/test_plans_whole.py"),
    "domain/disk/plan_layout.py": ("disk/test_plan_layout.py",),
    "domain/disk/rootspec.py": ("disk/test_rootspec.py",),
    "domain/disk/targets.py": ("disk/test_targets.py",),
    "domain/image/retention.py": ("image/test_retention.py",),
    "domain/image/select.py": ("image/test_image_select.py",),
    "domain/formats/minisign.py": ("trust/test_minisign.py", "trust/test_keys_mistakes.py"),
    "domain/formats/minisign_secret.py": ("trust/test_minisign_secret.py", "trust/test_keys_mistakes.py"),
    "domain/image/manifest.py": ("image/test_manifest.py",),
    "domain/trust/built_in.py": ("trust/test_ratchets.py",),
    "domain/trust/chain.py": ("trust/test_chain.py",),
    "domain/trust/changes.py": ("trust/test_changes.py", "trust/test_drill.py", "trust/test_keys_cli.py"),
    "domain/trust/keys.py": ("trust/test_minisign.py",),
    "domain/trust/policy.py": ("trust/test_policy.py",),
    "domain/trust/ratchets.py": ("trust/test_ratchets.py",),
    "domain/trust/statement.py": ("trust/test_chain.py",),
    "apps/unit/recovery/image_check.py": ("flow/test_bad_restore.py", *ADMITTED),
    "apps/unit/recovery/image_trust.py": ADMITTED,
    "apps/unit/recovery/known_trust.py": RECOVERED,
    "apps/unit/recovery/recovery_ratchets.py": ("trust/test_recovery_ratchets.py", *RECOVERED),
    "apps/unit/recovery/trust_chains.py": RECOVERED,
}
FURTHER_TESTS = ("plan", "boot", "disk", "image", "trust", "flow")
_NOT_COPIED = (".git", ".venv", "out", "lab", "__pycache__", ".*_cache", ".hypothesis", ".coverage*")
_MEMORY_BYTES = 6 << 30
_HANGS_SECONDS = 4 * 3600
_NO_TESTS_RUN = (4, 5)  # pytest: wrong usage, no tests


class Outcome(Enum):
    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Site:
    """``path``: relative to ROOT."""

    path: str
    mutant: Mutant

    def describe(self) -> str:
        return f"{self.path}:{self.mutant.line} {self.mutant.operator}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=30, help="number of mutants (default 30; 0: all)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the selection (default 1)")
    parser.add_argument("--file", action="append", metavar="NAME", help="only of files whose path contains this")
    parser.add_argument("--seconds", type=int, default=600, help="of CPU time for each round of tests (default 600)")
    parser.add_argument("--nearest", action="store_true", help="run only the nearest tests: faster and stricter")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    args = parser.parse_args()
    files = [path for path in NEAREST if any(part in path for part in args.file or [""])]
    sources = {path: (ROOT / path).read_bytes() for path in files}
    every = {path: mutants_of(source) for path, source in sources.items()}
    sites = sample(every, sources, args.count, args.seed)
    print(f"seed {args.seed}: {len(sites)} of {sum(len(found) for found in every.values())} mutants", flush=True)
    if args.list:
        for site in sites:
            print(f"{site.describe()}\n{diff(site, sources[site.path])}")
        return 0
    with tempfile.TemporaryDirectory(prefix="gprov-mutants-") as folder:
        return report(sites, TestRunner(Path(folder) / "tree", args.seconds, args.nearest), sources)


def sample(every: dict[str, list[Mutant]], sources: dict[str, bytes], count: int, seed: int) -> list[Site]:
    """Draw mutants evenly over the files, at random within each file."""
    rng = random.Random(seed)
    piles = [[Site(path, mutant) for mutant in found] for path, found in sorted(every.items()) if found]
    rng.shuffle(piles)
    for pile in piles:
        rng.shuffle(pile)
    rounds = max((len(pile) for pile in piles), default=0)
    dealt = (pile[index] for index in range(rounds) for pile in piles if index < len(pile))
    found = (site for site in dealt if is_another_program(sources[site.path], site.mutant))
    return list(islice(found, count or None))


def report(sites: Sequence[Site], runner: TestRunner, sources: dict[str, bytes]) -> int:
    if (output := runner.first_failure([site.path for site in sites])) is not None:
        print(f"the tests fail without any mutant:\n{output}", file=sys.stderr)
        return 1
    outcomes: list[tuple[Site, Outcome]] = []
    for number, site in enumerate(sites, start=1):
        began = time.monotonic()
        outcome, by = runner.run_mutant(site, sources[site.path])
        outcomes.append((site, outcome))
        spent = time.monotonic() - began
        print(f"{number:3} {outcome.value:8} {spent:4.0f} s  {site.describe()}{f'  by {by}' if by else ''}", flush=True)
        if outcome is Outcome.SURVIVED:
            print(diff(site, sources[site.path]), flush=True)
    print(f"\n{'file':42}{'mutants':>9}{'killed':>9}{'timeout':>9}{'survived':>9}")
    for path in sorted({site.path for site, _ in outcomes}):
        _print_row(path, [outcome for site, outcome in outcomes if site.path == path])
    all_outcomes = [outcome for _, outcome in outcomes]
    _print_row("all", all_outcomes)
    caught = sum(outcome is not Outcome.SURVIVED for outcome in all_outcomes)
    print(f"{caught} of {len(all_outcomes)} killed, at least {MIN_KILLED_PCT} % required")
    return 0 if caught * 100 >= len(all_outcomes) * MIN_KILLED_PCT else 1


def _print_row(name: str, outcomes: Sequence[Outcome]) -> None:
    count = Counter(outcomes)
    numbers = (len(outcomes), count[Outcome.KILLED], count[Outcome.TIMEOUT], count[Outcome.SURVIVED])
    print(f"{name:42}{''.join(f'{number:9}' for number in numbers)}")


def diff(site: Site, source: bytes) -> str:
    old, new = (text.decode().splitlines() for text in (source, site.mutant.applied(source)))
    lines = difflib.unified_diff(old, new, f"a/{ROOT / site.path}", f"b/{ROOT / site.path}", lineterm="", n=2)
    return "\n".join(f"    {line}" for line in lines)


class TestRunner:
    """A copy of this tree, in which one file at a time is changed."""

    def __init__(self, tree: Path, seconds: int, nearest_only: bool) -> None:
        self._tree = tree
        self._seconds = seconds
        self._nearest_only = nearest_only
        shutil.copytree(".", tree, ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
        (tree / ".venv").symlink_to(Path(".venv").resolve())
        # Bytecode is checked by hash: a mutant may have the size and time of the original.
        compiled = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "gprov"]
        subprocess.run([sys.executable, *compiled], cwd=tree, check=True)
        random_scripts = re.search(r"^LIVES := (.*)$", Path("Makefile").read_text(), re.MULTILINE)
        assert random_scripts is not None, "no LIVES in the Makefile"
        self._left_out = tuple(random_scripts[1].split())

    def first_failure(self, paths: Sequence[str]) -> str | None:
        """Run the nearest tests without a mutant. Return the failure, None if they pass. ``run_mutant`` checks the
        others."""
        nearest = sorted({f"tests/unit/{name}" for path in paths for name in NEAREST[path]})
        outcome, output = self._failure(nearest, ())
        return None if outcome is Outcome.SURVIVED else output

    def run_mutant(self, site: Site, source: bytes) -> tuple[Outcome, str]:
        """Run the tests with a mutant. Return the outcome and the test that failed."""
        nearest, further = (
            tuple(f"tests/unit/{name}" for name in names) for names in (NEAREST[site.path], FURTHER_TESTS)
        )
        rounds: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(nearest, ())]
        if not self._nearest_only:
            rounds += [(further, nearest), (("tests/unit",), (*further, *nearest, *self._left_out))]
        file = self._tree / ROOT / site.path
        file.write_bytes(site.mutant.applied(source))
        outcome, by, tests = Outcome.SURVIVED, "", nearest
        try:
            for tests, left_out in rounds:
                outcome, by = self._failure(tests, left_out)
                if outcome is not Outcome.SURVIVED:
                    break
        finally:
            file.write_bytes(source)
        if outcome is Outcome.KILLED and tests != nearest and self._failure((f"tests/unit/{by}",), ())[1]:
            raise RuntimeError(f"{by} fails without any mutant")
        return outcome, by

    def _failure(self, tests: Sequence[str], left_out: Sequence[str]) -> tuple[Outcome, str]:
        # Limit of processor time, which does not depend on the load of the machine.
        limits = [f"--as={_MEMORY_BYTES}", f"--cpu={self._seconds}:{self._seconds + 5}"]
        argv = ["nice", "-n", "10", "prlimit", *limits, sys.executable, "-m", "pytest", "-x", "-q"]
        argv += [
            "-p",
            "no:cacheprovider",
            "--no-header",
            "--tb=line",
            *(path for path in tests if path not in left_out),
        ]
        argv += [f"--ignore={path}" for path in left_out]
        done = subprocess.run(argv, cwd=self._tree, capture_output=True, text=True, timeout=_HANGS_SECONDS, check=False)
        if done.returncode in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
            return Outcome.TIMEOUT, ""
        if done.returncode == 0:
            return Outcome.SURVIVED, ""
        if done.returncode in _NO_TESTS_RUN:
            raise RuntimeError(f"pytest ran no tests:\n{done.stdout}{done.stderr}")
        named = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        return Outcome.KILLED, named[1].removeprefix("tests/unit/") if named else (done.stdout + done.stderr)[-500:]


if __name__ == "__main__":
    sys.exit(main())
