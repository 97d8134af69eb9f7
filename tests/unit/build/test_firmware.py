"""Sets of firmware: their files, and what is said if some are missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.initramfs.firmware import FirmwareFile, FirmwareSet, firmware_files, parse_firmware_sets
from gprov.apps.host.initramfs.kernel_settings import chosen_firmware, parse_settings
from gprov.domain.errors import BadInput, DeviceMissing

SHIPPED = Path(__file__).parents[3] / "buildroot/kernel"
SETS = {
    "bnx2": FirmwareSet("firmware-bnx2", ("bnx2/a.fw", "bnx2/b.fw")),
    "ice": FirmwareSet("firmware-misc-nonfree", ("intel/ice.pkg",)),
}


FILES = "x.files: must be a list of paths below /lib/firmware"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    folder = tmp_path / "firmware"
    for name in ("bnx2/a.fw", "bnx2/b.fw", "intel/ice.pkg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_files_of_sets(installed: Path) -> None:
    assert firmware_files(["ice", "bnx2"], SETS, str(installed)) == (
        FirmwareFile("usr/lib/firmware/bnx2/a.fw", f"{installed}/bnx2/a.fw"),
        FirmwareFile("usr/lib/firmware/bnx2/b.fw", f"{installed}/bnx2/b.fw"),
        FirmwareFile("usr/lib/firmware/intel/ice.pkg", f"{installed}/intel/ice.pkg"),
    )


def test_a_folder_is_taken_whole_and_links_count_as_files(installed: Path) -> None:
    (installed / "intel/link.pkg").symlink_to("ice.pkg")
    targets = [file.target for file in firmware_files([f"{installed}/intel"], SETS)]
    assert targets == ["usr/lib/firmware/ice.pkg", "usr/lib/firmware/link.pkg"]


def test_all_missing_files_are_told_with_their_packages(installed: Path) -> None:
    (installed / "bnx2/b.fw").unlink()
    (installed / "intel/ice.pkg").unlink()
    with pytest.raises(DeviceMissing) as caught:
        firmware_files(["bnx2", "ice"], SETS, str(installed))
    assert str(caught.value) == (
        f"{installed}/bnx2/b.fw, {installed}/intel/ice.pkg: no such file of firmware; Debian has it in firmware-bnx2 "
        "firmware-misc-nonfree (sections main and non-free-firmware)"
    )


def test_unknown_sets_and_folders(installed: Path) -> None:
    with pytest.raises(BadInput, match="bnx3: no such set; sets: bnx2, ice; the path of a folder has a slash"):
        firmware_files(["bnx3"], SETS, str(installed))
    with pytest.raises(DeviceMissing, match="no such folder of firmware"):
        firmware_files([f"{installed}/none"], SETS, str(installed))


def test_folders_without_firmware_where_drivers_find_it(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match="holds no files of firmware"):
        firmware_files([f"{tmp_path}/"], SETS)
    (tmp_path / "usr/lib/firmware/acme").mkdir(parents=True)
    (tmp_path / "usr/lib/firmware/acme/nic.fw").touch()
    with pytest.raises(BadInput, match=f"is a root file system; name its folder {tmp_path}/usr/lib/firmware"):
        firmware_files([str(tmp_path)], SETS)


def test_two_files_for_one_name(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "own/bnx2").mkdir(parents=True)
    (tmp_path / "own/bnx2/a.fw").write_text("own")
    with pytest.raises(BadInput) as caught:
        firmware_files(["bnx2", f"{tmp_path}/own"], SETS, str(installed))
    assert caught.value.details() == (f"bnx2/a.fw: is in {installed}/bnx2 and {tmp_path}/own/bnx2",)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("x", ["Expected '=' after a key in a key/value pair (at end of document)"]),
        ("x = 1", ["x: must be a table with package and files"]),
        ("[x]\npackage = ''\nfiles = []", ["x.package: must be the name of a Debian package", FILES]),
        ("[x]\npackage = 'p'\nfiles = ['/etc/x']", [FILES]),
        ("[x]\npackage = 'p'\nfiles = ['a/../../x']", [FILES]),
        ("[x]\npackage = 'p'\nfiles = [1]", [FILES]),
    ],
)
def test_wrong_sets(text: str, problems: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_firmware_sets(text, "firmware.toml")
    assert [str(problem) for problem in caught.value.problems] == problems


@given(st.lists(st.text(alphabet="a./", max_size=6), min_size=1, max_size=3))
def test_files_stay_below_the_folder(files: list[str]) -> None:
    text = f"[x]\npackage = 'p'\nfiles = {files!r}"
    inside = all(file and "//" not in f"/{file}/" and not {".", ".."} & set(file.split("/")) for file in files)
    if inside:
        assert parse_firmware_sets(text, "x")["x"].files == tuple(files)
    else:
        with pytest.raises(BadInput):
            parse_firmware_sets(text, "x")


def test_settings_name_sets_and_folders_beside_them(tmp_path: Path) -> None:
    """A path in kernel.toml is relative to its folder."""
    (tmp_path / "firmware.toml").write_text((SHIPPED / "firmware.toml").read_text())
    (tmp_path / "mine/acme").mkdir(parents=True)
    (tmp_path / "mine/acme/nic.fw").write_text("x")
    settings = parse_settings("firmware = ['./mine']\nbudget.base = 1", "kernel.toml")
    [file] = chosen_firmware(settings, str(tmp_path), "/nowhere")
    assert (file.target, file.source) == ("usr/lib/firmware/acme/nic.fw", str(tmp_path / "mine/acme/nic.fw"))
    assert chosen_firmware(parse_settings("budget.base = 1", "x"), str(tmp_path), "/nowhere") == ()
