"""The recipe of the lab's Debian root, and what another suite adds to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.apps.host.lab.rootfs import read_recipe
from gprov.domain.errors import BadInput

RECIPE = """\
suite = "bookworm"
variant = "minbase"
packages = ["systemd"]
account = "admin"
account_id = 1000
enable = ["a.service"]
disable = ["b.timer"]

[suites.trixie]
packages = ["systemd-resolved"]
enable = ["systemd-resolved.service"]

[suites.forky]
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "rootfs.toml"
    file.write_text(RECIPE)
    return str(file)


@pytest.mark.parametrize("suite", ["", "bookworm"])
def test_the_recipes_own_suite_has_no_additions(path: str, suite: str) -> None:
    recipe = read_recipe(path, suite)
    assert (recipe.suite, recipe.packages, recipe.enable) == ("bookworm", ("systemd",), ("a.service",))


def test_another_suite_adds_packages_and_services(path: str) -> None:
    recipe = read_recipe(path, "trixie")
    assert (recipe.suite, recipe.packages) == ("trixie", ("systemd", "systemd-resolved"))
    assert (recipe.enable, recipe.disable) == (("a.service", "systemd-resolved.service"), ("b.timer",))


def test_another_suite_may_add_nothing(path: str) -> None:
    recipe = read_recipe(path, "forky")
    assert (recipe.suite, recipe.packages, recipe.enable) == ("forky", ("systemd",), ("a.service",))


def test_a_suite_that_the_recipe_does_not_name_is_refused(path: str) -> None:
    with pytest.raises(BadInput, match="sid"):
        read_recipe(path, "sid")
