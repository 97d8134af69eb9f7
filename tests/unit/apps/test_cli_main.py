"""``gprov`` before any subcommand: wrong usage, and output that cannot be written."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from gprov import __version__
from gprov.apps.host.cli.main import main


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["--nonsense"], ["--nonsense", "image", "name", "x"], ["image", "--nonsense"]]
)
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["image"], "gprov image: error: no command is named; `gprov image --help` lists them\n"),
        (["build", "kernel", "--flavor", "x"], "'--flavor': 'x' is not one of 'normal', 'mfg', 'mfg-burn-in'.\n"),
    ],
)
def test_wrong_usage_says_what_to_do(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert capsys.readouterr().err.endswith(message)


@pytest.mark.parametrize("words", [["--help"], ["--help", "image"]])
def test_help_lists_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0
    assert "simulate " in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"gprov {__version__}\n"


def test_output_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.touch()
    with os.fdopen(os.open(path, os.O_RDONLY), "w") as output, redirect_stdout(output):
        assert main(["image", "name", "x"]) == 3
    assert capsys.readouterr().err == "gprov: output: cannot be written: Bad file descriptor\n"


def test_a_reader_that_has_seen_enough(capsys: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as output, redirect_stdout(output):
        assert main(["image", "name", "x"]) == 0
    assert capsys.readouterr().err == ""


def test_names_that_the_terminal_cannot_show() -> None:
    written = io.BytesIO()
    with io.TextIOWrapper(written, encoding="ascii") as output:
        with redirect_stdout(output):
            assert main(["image", "name", "ü"]) == 1
        output.flush()
        assert written.getvalue().startswith(rb"\xfc: not an image name: ")


@pytest.mark.parametrize(
    "words", [["kernel", "info"], ["manuf", "check"], ["appliance", "check"], ["smbios", "--file"]]
)
def test_a_folder_is_no_file(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, str(tmp_path)]) == 3
    assert capsys.readouterr().err == f"gprov: {tmp_path}: cannot be read: Is a directory\n"


@pytest.mark.parametrize(
    "words",
    [
        ["kernel", "info"],
        ["kernel", "newest", "x"],
        ["manuf", "check"],
        ["appliance", "check"],
        ["smbios", "--file"],
        ["identify", "--smbios"],
        ["simulate", "replay"],
        ["image", "verify"],
        ["image", "create", "--date", "2026-01-01", "--build", "1", "--output", "OUT", "--tar"],
        ["build", "initramfs", "--flavor", "normal", "--output", "OUT/x", "--spec"],
    ],
)
def test_what_may_never_end_is_no_file(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "x").touch()
    words = [word.replace("OUT", str(tmp_path)) if word != "x" else str(tmp_path / "x") for word in words]
    assert main([*words, str(pipe)]) == 3
    said = "".join(capsys.readouterr())
    assert f"{pipe}: " in said
    assert "is not a regular file" in said
    assert main(["smbios", "--file", "/dev/zero"]) == 3
