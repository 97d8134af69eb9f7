"""A command whose Python packages are not installed says which, and how to get them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typing_extensions

CHECKOUT = Path(__file__).parents[3]


def gprov_without(package: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it from a folder that has every installed package but one."""
    for source in Path(typing_extensions.__file__).parent.iterdir():
        if source.name not in (package, "gprov"):
            (folder / source.name).symlink_to(source)
    (folder / "gprov").symlink_to(CHECKOUT / "gprov")
    command = [sys.executable, "-S", "-m", "gprov.apps.host.cli.main", *words]  # -S: no site-packages
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (("simulate", "lifecycle"), "dependency_injector", "tools"),
        (("server", "--data", "none"), "fastapi", "server"),
        (("image", "name", "x"), "typer", "tools"),
        (("server", "--data", "none"), "typer", "server"),
    ],
)
def test_a_missing_package_is_named(tmp_path: Path, words: tuple[str, ...], package: str, extra: str) -> None:
    ended = gprov_without(package, tmp_path, *words)
    assert ended.returncode == 3
    name = package.replace("_", "-")
    wanted = f"the Python package {name} is not installed; pip install 'gprov[{extra}]' does it"
    assert ended.stderr == f"gprov: gprov {words[0]}: {wanted}\n"


def test_the_overview_names_missing_packages(tmp_path: Path) -> None:
    ended = gprov_without("typer", tmp_path, "--help")
    assert ended.returncode == 3
    assert ended.stderr.endswith("pip install 'gprov[tools]' does it\n")
