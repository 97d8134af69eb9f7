"""The external tree of Buildroot, without Buildroot: its files fit each other and the freeze specification.

tests/buildroot checks it in a tree of Buildroot (``make buildroot BUILDROOT=...``).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gprov import __version__
from gprov.apps.host.initramfs.spec import Flavor, FreezeSpec, parse_spec

ROOT = Path(__file__).parents[3]
TREE = ROOT / "buildroot"
PACKAGES = sorted(path.name for path in (TREE / "package").iterdir())
DEFCONFIGS = sorted((TREE / "configs").iterdir())
NAMES = tomllib.loads((TREE / "names.toml").read_text())
# Symbols of Buildroot that this tree uses; tests/buildroot compares the list with a tree of Buildroot.
KNOWN = set((Path(__file__).parent / "buildroot_symbols.txt").read_text().split())
OUR_CONFIG = (TREE / "package/gprov/Config.in").read_text()
# Chosen by a configuration: gprov depends on them.
CHOSEN = {"BR2_PACKAGE_BUSYBOX", "BR2_PACKAGE_EUDEV", "BR2_TOOLCHAIN_USES_GLIBC"}


def entries(text: str) -> dict[str, str]:
    """Symbol -> its lines."""
    parts = re.split(r"^config (BR2_\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def words(text: str, keyword: str) -> set[str]:
    lines = re.findall(rf"^\t{keyword} (.*?)(?:#.*)?$", text, flags=re.MULTILINE)
    return {symbol for line in lines for symbol in re.findall(r"BR2_\w+", line)}


def defined() -> set[str]:
    return {symbol for path in TREE.glob("package/*/Config.in") for symbol in entries(path.read_text())}


def selected_for(flavor: Flavor) -> set[str]:
    ours = entries(OUR_CONFIG)
    name = "BR2_PACKAGE_GPROV_" + flavor.upper().replace("-", "_")
    found = words(ours["BR2_PACKAGE_GPROV"], "select") | words(ours[name], "select")
    if "BR2_PACKAGE_GPROV_STEP_PROGRAMS" in found:
        found |= words(ours["BR2_PACKAGE_GPROV_STEP_PROGRAMS"], "select")
    return found


def spec(flavor: Flavor) -> FreezeSpec:
    return parse_spec((TREE / "initramfs.toml").read_text(), flavor)


def debian_packages(flavor: Flavor) -> set[str]:
    wanted = spec(flavor)
    usb = {"udev"} if wanted.usb_names else set[str]()
    return {*wanted.programs.values(), *wanted.libraries.values(), *wanted.databases.values(), *usb}


@pytest.mark.parametrize("flavor", Flavor)
def test_each_flavor_selects_what_its_specification_takes_from_the_tree(flavor: Flavor) -> None:
    options = {option for package in debian_packages(flavor) for option in NAMES["packages"][package]}
    assert options - CHOSEN <= selected_for(flavor)
    assert words(entries(OUR_CONFIG)["BR2_PACKAGE_GPROV"], "depends on") >= CHOSEN


def test_only_the_flavors_that_need_them_select_programs_for_steps() -> None:
    extra = {option for package in debian_packages(Flavor.MFG) for option in NAMES["packages"][package]}
    extra -= {option for package in debian_packages(Flavor.NORMAL) for option in NAMES["packages"][package]}
    assert len(extra) > 10
    assert not extra & (selected_for(Flavor.NORMAL) - {"BR2_PACKAGE_UTIL_LINUX"})


def test_names_has_no_package_that_nothing_needs() -> None:
    assert set(NAMES["packages"]) == {package for flavor in Flavor for package in debian_packages(flavor)}
    wanted = spec(Flavor.MFG)
    assert set(NAMES["libraries"]) <= set(wanted.libraries)
    assert set(NAMES["files"]) <= {*wanted.databases, "/usr/lib/udev/hwdb.d"}


def test_the_python_packages_of_a_unit_are_selected() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["device"]]
    assert set(NAMES["python"]) == {re.split(r"[>=]", requirement)[0] for requirement in required}
    options = {option for each in NAMES["python"].values() for option in each}
    assert options <= selected_for(Flavor.NORMAL)


def test_flavors_have_the_names_of_the_builder() -> None:
    flavor = entries(OUR_CONFIG)["BR2_PACKAGE_GPROV_FLAVOR"]
    assert re.findall(r'default "(.*?)" if BR2_PACKAGE_GPROV_(\w+)', flavor) == [
        (name.value, name.name) for name in Flavor
    ]


def test_every_package_is_sourced_and_has_its_files() -> None:
    assert PACKAGES == ["gprov", "python-dependency-injector"]
    for name in PACKAGES:
        folder = TREE / "package" / name
        assert f'source "$BR2_EXTERNAL_GPROV_PATH/package/{name}/Config.in"\n' in (TREE / "Config.in").read_text()
        symbol = "BR2_PACKAGE_" + name.upper().replace("-", "_")
        assert symbol in entries((folder / "Config.in").read_text())
        assert "$(eval $(python-package))\n" in (folder / f"{name}.mk").read_text()
    assert re.match(r"name: GPROV\ndesc: ", (TREE / "external.desc").read_text())


def test_symbols_exist() -> None:
    """In Buildroot, or here."""
    texts = [path.read_text() for path in (*TREE.glob("package/*/Config.in"), *DEFCONFIGS, TREE / "names.toml")]
    used = {symbol for text in texts for symbol in re.findall(r"BR2_\w+", text)}
    used = {symbol for symbol in used if not symbol.startswith("BR2_EXTERNAL_")}
    assert used == KNOWN | defined()
    assert not KNOWN & defined()


def test_configurations_differ_by_the_flavor_and_the_kernel_s_name() -> None:
    names = {path.name: path.read_text().splitlines() for path in DEFCONFIGS}
    assert sorted(names) == ["gprov_mfg_defconfig", "gprov_normal_defconfig"]
    normal, mfg = names["gprov_normal_defconfig"], names["gprov_mfg_defconfig"]
    assert set(normal) ^ set(mfg) == {
        'BR2_ROOTFS_POST_SCRIPT_ARGS="norm_boot"',
        'BR2_ROOTFS_POST_SCRIPT_ARGS="provision.pxe"',
        "BR2_PACKAGE_GPROV_MFG=y",
    }
    for path in re.findall(r"\$\(BR2_EXTERNAL_GPROV_PATH\)/([\w./-]+)", "\n".join(mfg) + OUR_CONFIG):
        assert (TREE / path).exists(), path


def test_hashes() -> None:
    lines = [
        line.split("  ")
        for path in sorted(TREE.rglob("*.hash"))
        for line in path.read_text().splitlines()
        if not line.startswith("#")
    ]
    assert all(kind == "sha256" and re.fullmatch("[0-9a-f]{64}", digest) for kind, digest, _ in lines)
    files = {file for _, _, file in lines}
    version = re.search(r'CUSTOM_VERSION_VALUE="(.*)"', DEFCONFIGS[0].read_text())
    assert version
    assert f"linux-{version[1]}.tar.xz" in files
    made = (TREE / "package/python-dependency-injector/python-dependency-injector.mk").read_text()
    injector = re.search(r"_VERSION = (\S+)\n", made)
    assert injector
    assert f"python-dependency-injector-{injector[1]}-git4.tar.gz" in files
    assert "LICENSE.rst" in files


def test_the_version_is_the_project_s() -> None:
    assert f"GPROV_VERSION = {__version__}\n" in (TREE / "package/gprov/gprov.mk").read_text()
