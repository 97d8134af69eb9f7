"""The recipe of the lab's Debian root, and what another suite adds to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.apps.host.lab.rootfs import read_recipe, root_key
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


def checkout(folder: Path, content: str) -> Path:
    (folder / "files" / "etc").mkdir(parents=True)
    (folder / "files" / "etc" / "motd").write_text(content)
    (folder / "rootfs.toml").write_text(RECIPE)
    return folder / "rootfs.toml"


def test_the_key_of_a_root_depends_on_the_files_and_not_on_their_place(tmp_path: Path) -> None:
    first, second, other = (checkout(tmp_path / name, text) for name, text in (("a", "x"), ("b", "x"), ("c", "y")))
    keys = [root_key(read_recipe(str(path)), ("deb http://a/ bookworm main",)) for path in (first, second, other)]
    assert keys[0] == keys[1] != keys[2]
    assert root_key(read_recipe(str(first), "forky"), ("deb http://a/ bookworm main",)) != keys[0]
    assert root_key(read_recipe(str(first)), ()) != keys[0]
