"""Files and folders of an adopter in the tree, with permissions, links and libraries."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gprov.apps.host.initramfs.copies import add_copy
from gprov.apps.host.initramfs.libraries import Libraries
from gprov.apps.host.initramfs.rootfs import RootTree
from gprov.apps.host.initramfs.sources import SourceSystem
from gprov.domain.errors import BadInput, DeviceMissing
from tests.unit.build.test_elf import elf


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    """A folder as vendors deliver them: program, own library, data, a link."""
    folder = tmp_path / "vendor"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib").chmod(0o750)
    (folder / "tool").write_bytes(elf(["libown.so.1", "liba.so.1"], interpreter=""))
    (folder / "tool").chmod(0o755)
    (folder / "lib/libown.so.1").write_bytes(elf(["libb.so.1"], interpreter=""))
    (folder / "settings.ini").write_text("[x]\n")
    (folder / "settings.ini").chmod(0o640)
    (folder / "current").symlink_to("settings.ini")
    return folder


@pytest.fixture
def libraries(tmp_path: Path) -> Libraries:
    (tmp_path / "lib").mkdir()
    for name in ("liba.so.1", "libb.so.1"):
        (tmp_path / "lib" / name).write_bytes(elf([], interpreter=""))
    return Libraries(SourceSystem(search_path=(str(tmp_path / "lib"),)))


def test_a_folder_with_permissions_links_and_libraries(vendor: Path, libraries: Libraries) -> None:
    tree = RootTree()
    add_copy(tree, libraries, "/opt/vendor", str(vendor))
    nodes = {node.path: node for node in tree.finish() if node.path.startswith("opt/")}
    assert {path: oct(stat.S_IMODE(node.mode)) for path, node in nodes.items()} == {
        "opt/vendor": "0o755",
        "opt/vendor/lib": "0o750",
        "opt/vendor/lib/libown.so.1": "0o644",
        "opt/vendor/tool": "0o755",
        "opt/vendor/settings.ini": "0o640",
        "opt/vendor/current": "0o777",
    }
    assert nodes["opt/vendor/current"].content == b"settings.ini"
    # Its own library stays where it is; those of the distribution come along, also for its own library.
    assert sorted(libraries.files()) == [f"usr/lib/x86_64-linux-gnu/{name}" for name in ("liba.so.1", "libb.so.1")]


def test_a_single_file_at_a_path_of_merged_usr(vendor: Path, libraries: Libraries) -> None:
    tree = RootTree()
    add_copy(tree, libraries, "/bin/vendor.ini", str(vendor / "settings.ini"))
    assert next(node for node in tree.finish() if node.path == "usr/bin/vendor.ini").content == b"[x]\n"


def test_a_library_that_is_not_there_names_the_program(vendor: Path) -> None:
    with pytest.raises(DeviceMissing, match=r"libb.so.1: no such shared library; .*vendor/lib/libown.so.1 needs it"):
        add_copy(RootTree(), Libraries(SourceSystem(search_path=("/nowhere",))), "/opt/vendor", str(vendor))


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match=r"copies\./opt/x of the specification"):
        add_copy(RootTree(), Libraries(), "/opt/x", str(tmp_path / "missing"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="neither a file nor a folder nor a link"):
        add_copy(RootTree(), Libraries(), "/opt/x", str(tmp_path / "pipe"))
