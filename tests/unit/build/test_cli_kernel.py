"""``gprov build kernel`` with choices that are refused before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.apps.host.cli.build_report import kernel_document, kernel_report, modules_note
from gprov.apps.host.cli.main import main
from gprov.apps.host.initramfs.builds import Kernel
from gprov.apps.host.initramfs.kernel import KernelFiles
from gprov.apps.host.initramfs.kernel_settings import KernelSettings
from gprov.apps.host.initramfs.spec import Flavor


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    return ["build", "kernel", "--flavor", "normal", "--output", str(tmp_path / "out")]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (
            ["--fragment", "sever"],
            3,
            "no such fragment; fragments in this folder: fleet, optional, secure-boot, server; a path has a slash, or",
        ),
        (["--fragment", "optional"], 1, "CONFIG_BTRFS_FS=m is a module; build with --modules, or set it to y (and "),
        (["--firmware", "sever"], 1, "firmware: sever: no such set; sets: "),
        (["--firmware", "bnx2", "--firmware-from", "/nowhere"], 3, "Debian has it in firmware-bnx2"),
        (["--firmware", "/nowhere"], 3, "/nowhere: no such folder of firmware"),
        (["--settings", "/nowhere.toml"], 3, "/nowhere.toml"),
    ],
)
def test_refusals(
    options: list[str], code: int, said: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, *options]) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "much"])
def test_a_budget_that_is_no_number(number: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--budget", number])
    assert f"must be a number of MB, is {number!r}" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--firmware", "./"]])
def test_a_place_of_sets_without_sets(options: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*words, *options, "--firmware-from", "/nowhere"])
    assert "--firmware-from: has no effect without a set of firmware" in capsys.readouterr().err


def test_settings_without_fragments_beside_them(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kernel.toml").write_text('fragments = ["server"]\nbudget.base = 1\n')
    assert main([*words, "--settings", str(tmp_path / "kernel.toml")]) == 3
    assert f"{tmp_path}/server.config: no such fragment; fragments in this folder: none" in capsys.readouterr().err


def test_an_archive_without_content(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--system-tree", "x"])
    assert "--system-tree: has no content without --modules or --firmware" in capsys.readouterr().err


def test_a_fragment_is_named_relative_to_the_current_folder(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.config").write_text('\nCONFIG_LOCALVERSION="x"\n')
    assert main([*words, "--fragment", str(tmp_path / "own.config")]) == 1
    said = 'own.config:2: CONFIG_LOCALVERSION="x" is set by the build; a fragment cannot change it'
    assert said in capsys.readouterr().err


def test_modules_that_are_not_written_are_told() -> None:
    """The kernel that provisions starts no system."""
    settings = KernelSettings((), True, (), {"base": 9.5})
    assert "--system-tree FILE" in modules_note(settings, Flavor.NORMAL)
    assert modules_note(settings, Flavor.MFG) == ""
    assert modules_note(settings.with_options([], False, [], None), Flavor.NORMAL) == ""


def test_report(tmp_path: Path) -> None:
    image = tmp_path / "kernel"
    image.write_bytes(bytes(0x20E) + (0x100).to_bytes(2, "little") + bytes(0xF0) + b"6.1-gprov.7.ab (x@y) #7 SMP\0")
    built = Kernel(KernelFiles(str(image), None), 12_345_678, ("CONFIG_A: n (own:1) instead of y (base:2)",))
    settings = KernelSettings(("server", "/x/own.config"), True, ("bnx2",), {"base": 9.5, "server": 3.5})
    assert kernel_report(built, settings) == [
        "  12,345,678  kernel 6.1-gprov.7.ab without initramfs, budget 13,000,000",
        "              fragments: server, /x/own.config; with modules",
        "              replaced: CONFIG_A: n (own:1) instead of y (base:2)",
    ]
    assert kernel_document(built, settings) == {
        "release": "6.1-gprov.7.ab",
        "size": 12_345_678,
        "budget": 13_000_000,
        "fragments": ["server", "/x/own.config"],
        "replaced": ["CONFIG_A: n (own:1) instead of y (base:2)"],
        "modules": True,
        "firmware": ["bnx2"],
    }
