"""Modules that an initramfs has in place of larger ones behave as these do. The same programs run with both."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# The fakes and the command line of the simulation, too, run with these.
REPLACED = "dataclasses,dependency_injector"


def output(modules: str, *words: str) -> list[str]:
    """``modules``: which of them are those of units."""
    argv = (sys.executable, "-m", "tests.unit.build.with_unit_modules", modules, *words)
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(("subject", "least"), [("behaviour", 3000), ("shapes", 400)])
def test_dataclasses_are_those_of_the_standard_library(subject: str, least: int) -> None:
    program = ("tests.unit.build.dataclasses_program", subject)
    expected = output("", *program)
    assert len(expected) > least
    assert output("dataclasses", *program) == expected


def test_containers_are_those_of_dependency_injector() -> None:
    tests = "tests/unit/apps/test_wiring.py"
    last = output("dependency_injector", "pytest", "-q", "-p", "no:cacheprovider", tests)[-1]
    assert " passed" in last


def test_a_simulated_life_is_the_same() -> None:
    command = ("gprov.apps.host.cli.main", "simulate", "lifecycle")
    expected = output("", *command)
    assert len(expected) > 50
    assert output(REPLACED, *command) == expected
