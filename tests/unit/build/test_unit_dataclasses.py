"""The module dataclasses that an initramfs has in place of the standard library's makes the same classes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def output(module: str, subject: str) -> list[str]:
    argv = (sys.executable, "-m", "tests.unit.build.dataclasses_program", module, subject)
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(("subject", "least"), [("behaviour", 500), ("shapes", 300)])
def test_classes_are_those_of_the_standard_library(subject: str, least: int) -> None:
    expected = output("standard library", subject)
    assert len(expected) > least
    assert output("unit", subject) == expected
