"""A command whose Python packages are not installed says which, and how to get them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typing_extensions

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (("simulate", "lifecycle"), "dependency-injector", "tools"),
        (("server", "--data", "none"), "fastapi", "server"),
    ],
)
def test_a_missing_package_is_named(tmp_path: Path, words: tuple[str, ...], package: str, extra: str) -> None:
    source = Path(typing_extensions.__file__)
    (tmp_path / source.name).symlink_to(source)
    (tmp_path / "gprov").symlink_to(CHECKOUT / "gprov")
    command = [sys.executable, "-S", "-m", "gprov.apps.host.cli.main", *words]  # -S: no site-packages
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 3
    wanted = f"the Python package {package} is not installed; pip install 'gprov[{extra}]' does it"
    assert ended.stderr == f"gprov: gprov {words[0]}: {wanted}\n"
