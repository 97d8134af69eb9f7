"""``gprov image`` and ``gprov kernel`` as commands: what they print and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.apps.host.cli.main import main

XzOf = Callable[..., bytes]
GOOD = "WIDGET.LNX.SHINY.2024-02-29.0107.upd"


def kernel(version: str) -> bytes:
    head = bytearray(32 << 10)
    head[0x1F1] = 0x1F
    head[0x1FE:0x206] = b"\x55\xaa\0\0HdrS"
    head[0x20E:0x210] = (0x3000 - 0x200).to_bytes(2, "little")
    head[0x3000 : 0x3000 + len(version)] = version.encode()
    return bytes(head)


def test_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "name", GOOD]) == 0
    out = capsys.readouterr().out
    assert "date 2024-02-29" in out
    assert "build 107" in out
    assert main(["image", "name", GOOD, "x.upd", GOOD]) == 1
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [GOOD, "x.upd", GOOD]
    assert main(["image", "name", "--prefix", "x.", "x.2024-01-01.1.upd"]) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("2024-01-01.9", "2024-01-01.10", "2023-05-05.77"):
        (tmp_path / f"WIDGET.LNX.SHINY.{name}.upd").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "WIDGET.LNX.SHINY.2024-01-02.1.upd").mkdir()
    return tmp_path


def test_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "list", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[17:-4] for line in lines[:3]] == ["2024-01-01.10", "2024-01-01.9", "2023-05-05.77"]
    assert lines[3].startswith("notes.txt: rejected: prefix: ")
    assert len(lines) == 4


def test_names_with_control_characters_stay_on_their_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a\nb\x1b[31m").touch()
    assert main(["image", "list", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[3].startswith(r"'a\nb\x1b[31m': rejected: ")
    assert main(["image", "name", ""]) == 1
    assert capsys.readouterr().out.startswith("'': not an image name: ")


def test_list_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "list", str(folder), "--oldest", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0] == {
        "name": "WIDGET.LNX.SHINY.2023-05-05.77.upd",
        "date": "2023-05-05",
        "build": 77,
        "path": str(folder / "WIDGET.LNX.SHINY.2023-05-05.77.upd"),
        "accepted": True,
        "reason": "",
        "signed": False,
    }
    assert [(row["accepted"], row["build"]) for row in rows] == [(True, 77), (True, 9), (True, 10), (False, None)]
    assert "suffix" in rows[3]["reason"]


def test_list_without_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "list", str(folder / "none")]) == 3
    assert main(["image", "list", str(folder / "notes.txt")]) == 3
    assert "notes.txt" in capsys.readouterr().err


def test_verify_goes_on_after_a_bad_one(
    tmp_path: Path, image: bytes, root_tar: bytes, xz_of: XzOf, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = tmp_path / "bad.upd", tmp_path / GOOD
    bad.write_bytes(xz_of([root_tar], check=4))
    good.write_bytes(image)
    assert main(["image", "verify", str(bad), str(good)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"INVALID {bad}: stream 1 must have the check SHA-256, has CRC64")
    assert lines[1].startswith(f"valid   {good}: 2 members, 10240 bytes")
    assert any("/boot/norm_boot" in line for line in lines[2:])
    assert main(["image", "verify", str(good)]) == 0
    capsys.readouterr()
    assert main(["image", "verify", str(good), str(bad), str(tmp_path / "none")]) == 3
    assert capsys.readouterr().out.splitlines()[-1] == f"unknown {tmp_path}/none: no such file"


def test_verify_json(tmp_path: Path, image: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    good, empty = tmp_path / GOOD, tmp_path / "empty.upd"
    good.write_bytes(image)
    empty.touch()
    assert main(["image", "verify", "--json", str(good), str(empty)]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert first["valid"] is True
    assert first["entries"] == 2
    assert first["size"] == len(image)
    assert second == {"path": str(empty), "valid": False, "reason": f"{empty}: is empty (offset 0)"}


@pytest.mark.parametrize(("options", "limit"), [([], 64 << 30), (["--largest", "3T"], 3 << 40)])
def test_verify_refuses_a_large_stated_size_before_it_decodes(
    tmp_path: Path,
    root_tar: bytes,
    xz_of: XzOf,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    limit: int,
) -> None:
    image = tmp_path / GOOD
    image.write_bytes(xz_of([root_tar], sizes=False, indexed=limit + 1 - len(root_tar)))
    assert main(["image", "verify", *options, str(image)]) == 1
    stated = f"INVALID {image}: states that it unpacks to {limit + 1} bytes, more than the limit of {limit}"
    assert capsys.readouterr().out == f"{stated}; --largest SIZE sets another limit\n"
    image.write_bytes(xz_of([root_tar], sizes=False, indexed=limit - len(root_tar)))
    assert main(["image", "verify", *options, str(image)]) == 1
    assert "more than the limit" not in capsys.readouterr().out


def test_the_disk_sets_the_limit_of_verify(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["image", "verify", "--disk", "64G", "--largest", "64G", "none"])
    assert "excludes --disk, which sets the limit" in capsys.readouterr().err


def test_verify_for_a_disk(
    tmp_path: Path, image: bytes, root_tar: bytes, xz_of: XzOf, capsys: pytest.CaptureFixture[str]
) -> None:
    good, large = tmp_path / GOOD, tmp_path / "large.upd"
    good.write_bytes(image)
    large.write_bytes(xz_of([root_tar], sizes=False, indexed=70 << 30))
    assert main(["image", "verify", "--disk", "1M", str(good)]) == 1
    assert "and the disk has room for 0 bytes and 0 inodes" in capsys.readouterr().out
    assert main(["image", "verify", "--disk", "64G", str(good), str(large)]) == 1
    out = capsys.readouterr().out
    assert f"valid   {good}: " in out
    assert f"INVALID {large}: states that it unpacks to " in out
    assert "--largest" not in out


@pytest.mark.parametrize("size", ["", "64 G", "-1", "1.5G", "64GiB", "64g", "\u0661", "1" * 19])
def test_verify_for_a_disk_of_a_wrong_size(size: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["image", "verify", "--disk", size, "none"])
    assert caught.value.code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["--root", "none", "--tar", "x", "--date", "2024-01-01", "--build", "1"],
        ["--date", "2024-01-01", "--build", "1"],
        ["--root", "none", "--date", "2024-02-30", "--build", "1"],
        ["--root", "none", "--date", "20240201", "--build", "1"],
        ["--root", "none", "--date", "2024-W05-1", "--build", "1"],
        ["--root", "none", "--date", "2024-01-01", "--build", "-1"],
        ["--root", "none", "--date", "2024-01-01", "--build", "1" * 5000],
        ["--root", "none", "--date", "2024-01-01", "--build", "1", "--prefix", "a/b."],
        ["--root", "none", "--date", "2024-01-01", "--build", "\u0661"],
        ["--root", "none", "--date", "2024-01-01", "--build", "1", "--meta", "Colour=red"],
        ["--root", "none", "--date", "2024-01-01", "--build", "1", "--meta", "BinVer"],
    ],
)
def test_create_usage(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["image", "create", "--output", str(tmp_path), *words])
    assert caught.value.code == 2
    assert list(tmp_path.iterdir()) == []


def test_create_with_another_name_in_its_metadata(tmp_path: Path) -> None:
    words = ["--tar", "x", "--date", "2024-01-01", "--build", "1", "--meta", "ImgName=other"]
    assert main(["image", "create", "--output", str(tmp_path), *words]) == 1


def test_kernel_info(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "norm_boot"
    path.write_bytes(kernel("6.1.9-x (me@here) #45 SMP PREEMPT_DYNAMIC now"))
    assert main(["kernel", "info", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "release": "6.1.9-x",
        "builder": "me@here",
        "version": "#45 SMP PREEMPT_DYNAMIC now",
        "build_number": 45,
        "signers": [],
    }
    assert main(["kernel", "info", str(path)]) == 0
    assert "build number: 45" in capsys.readouterr().out
    path.write_bytes(b"#!/bin/sh\n" + bytes(1000))
    assert main(["kernel", "info", str(path)]) == 1
    assert str(path) in capsys.readouterr().err
    assert main(["kernel", "info", str(tmp_path / "none")]) == 3


def test_kernel_newest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, none = (tmp_path / name for name in ("old", "new", "none"))
    old.write_bytes(kernel("6.9 (a) #9 SMP"))
    new.write_bytes(kernel("6.1 (a) #10 SMP"))
    none.write_bytes(b"")
    for words, said in (((old, new), new), ((new, old), new), ((old, old), "same"), ((none, old), old)):
        assert main(["kernel", "newest", *map(str, words)]) == 0
        assert capsys.readouterr().out.strip() == str(said)
    assert main(["kernel", "newest", str(none), str(none)]) == 1
    assert main(["kernel", "newest", str(old), str(tmp_path / "gone")]) == 3


def test_escape_sequences_do_not_reach_a_terminal(
    tmp_path: Path, xz_of: XzOf, tar_of: Callable[..., bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """In names of files and of members, and in the version of a kernel."""
    bad, good, boot = (tmp_path / f"{name}\x1b[2J" for name in ("bad", "good", "kernel"))
    bad.write_bytes(xz_of([tar_of({"../\x1b[31m\n": b""})]))
    good.write_bytes(xz_of([tar_of({"a": b""})]))
    boot.write_bytes(kernel("6.1 (me\x1b[2J@here) #7 now"))
    main(["image", "verify", str(bad), str(good)])
    main(["image", "name", "x\x1b[2J"])
    main(["kernel", "info", str(boot)])
    main(["kernel", "newest", str(boot), str(bad)])
    main(["kernel", "info", str(tmp_path / "not there\x1b[2J")])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert said.out.count("\\x1b[2J") >= 5
    assert "not there\\x1b[2J" in said.err
