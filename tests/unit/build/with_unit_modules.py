"""Runs a program with modules that an initramfs has in place of others, of the table ``replace`` of its specification.

python -m tests.unit.build.with_unit_modules NAME[,NAME…] MODULE [ARGUMENT…]
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
import tomllib
from pathlib import Path

SPECIFICATION = Path(__file__).parents[3] / "buildroot/initramfs.toml"


def use(name: str) -> None:
    """Nothing must have imported it before."""
    assert name not in sys.modules
    file = tomllib.loads(SPECIFICATION.read_text())["common"]["replace"][name]
    spec = importlib.util.spec_from_file_location(name, SPECIFICATION.parent / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    for each in filter(None, sys.argv[1].split(",")):
        use(each)
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
