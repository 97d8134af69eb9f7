"""What all commands of ``gprov`` have in common: help, usage, JSON, completion, and no control characters."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from gprov.adapters.fake.archive.artifacts import build_kernel
from gprov.adapters.fake.dmi.tables import build_table
from gprov.apps.host.cli.commands import COMMANDS, attach
from gprov.apps.host.cli.main import main


def command_words(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Words and object of a command and of all below it."""
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from command_words(inner, (*words, name))


def all_commands() -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name in COMMANDS:
        root = typer.Typer()
        attach(root, name)
        root.command("other")(lambda: None)
        group: Any = get_command(root)
        found += command_words(group.commands[name], (name,))
    return found


ALL = all_commands()
NAMES = [" ".join(words) for words, _ in ALL]
# The lab and the builds run tools; their options are checked, their output is not.
RAN_ELSEWHERE = {f"build {what}" for what in ("initramfs", "kernel")} | {
    f"lab {action}" for action in ("lifecycle", "provision", "restore", "boot", "cuts")
}


def ended(words: Sequence[str]) -> int:
    try:
        return main(words)
    except SystemExit as stopped:
        return int(stopped.code or 0)


@pytest.mark.parametrize(("words", "command"), ALL, ids=NAMES)
def test_help_names_every_option(words: tuple[str, ...], command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended([*words, "--help"]) == 0
    out = capsys.readouterr().out
    options = [option for param in command.params for option in param.opts if option.startswith("-")]
    assert options or hasattr(command, "commands") or words == ("appliance", "default")
    assert [option for option in options if option not in out] == []
    assert [name for name in getattr(command, "commands", {}) if name not in out] == []


@pytest.mark.parametrize("words", [words for words, _ in ALL], ids=NAMES)
def test_an_unknown_option_is_wrong_usage(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended([*words, "--nonsense"]) == 2
    shown = capsys.readouterr()
    assert "--nonsense" in shown.err
    assert shown.out == ""


# Only the entry that ends an archive in the format newc (Linux: Documentation/driver-api/early-userspace).
EMPTY_CPIO = (f"070701{0:0>88}{11:08X}{0:08X}".encode() + b"TRAILER!!!\0").ljust(512, b"\0")


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, str]:
    """Paths of small inputs by name, for the words of commands."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images/notes").touch()
    (tmp_path / "kernel").write_bytes(build_kernel(7))
    (tmp_path / "smbios").write_bytes(build_table())
    (tmp_path / "table").write_text('{"Variants": [{}]}')
    (tmp_path / "manuf").write_text("{}")
    (tmp_path / "initramfs").write_bytes(EMPTY_CPIO)
    (tmp_path / "script").write_text("unit\nprovision\n")
    (tmp_path / "root/usr/lib/systemd/system").mkdir(parents=True)
    return {path.name: str(path) for path in tmp_path.iterdir()}


JSON_WORDS = {
    "build compare": ("{initramfs}", "{initramfs}"),
    "build contents": ("{initramfs}",),
    "explain": ("Wrong password",),
    "image name": ("x",),
    "image list": ("{images}",),
    "image verify": ("{kernel}",),
    "image tools": ("--root", "{root}"),
    "image netsave": ("--root", "{root}"),
    "image boot-good": ("--root", "{root}"),
    "kernel info": ("{kernel}",),
    "kernel newest": ("{kernel}", "{kernel}"),
    "manuf check": ("{manuf}",),
    "appliance check": ("{table}",),
    "smbios": ("--file", "{smbios}"),
    "identify": ("--smbios", "{smbios}"),
    "takeover check": ("{images}",),
    "server credentials policy": ("--data", "{images}"),
    "simulate lifecycle": (),
    "simulate replay": ("{script}",),
    "simulate cuts": ("--count", "5", "--firmware", "uefi", "--disks", "sata"),
}
# Their JSON is in the tests of what they need (an image, a store of the server).
TESTED_ELSEWHERE = {
    "build ipxe",
    "hardware compare",
    "kernel verify",
    "image create",
    "image sign",
    "manuf sign",
    "server account list",
    "server account token",
    "server audit",
    "server backup",
    "server certificate create",
    "server certificate renew",
    "server certificate show",
    "server check",
    "server credentials give-up-key",
    "server credentials rekey",
    "server credentials rotate",
    "server credentials show",
    "server import-gprovision",
    "server init",
    "server key",
    "server reopen",
    "server restore",
    "server token",
    "update bundle",
    *(f"keys {action}" for action in ("add-signer", "check", "join", "new", "new-chain", "replace-root", "revoke")),
    "keys show",
    "keys sign",
} | {f"erase {action}" for action in ("certificate-page", "certify", "plan", "run", "verify-certificate")}


def test_every_command_that_has_json_is_tried() -> None:
    having = {" ".join(words) for words, command in ALL if any("--json" in param.opts for param in command.params)}
    assert having == JSON_WORDS.keys() | RAN_ELSEWHERE | TESTED_ELSEWHERE


@pytest.mark.parametrize("name", JSON_WORDS)
def test_json_is_one_document(name: str, inputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    words = [word.format_map(inputs) for word in JSON_WORDS[name]]
    plain = ended([*name.split(), *words])
    capsys.readouterr()
    assert ended([*name.split(), *words, "--json"]) == plain
    assert plain in (0, 1)
    assert json.loads(capsys.readouterr().out)


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@pytest.mark.parametrize("words", [["--help"], ["image", "--help"], ["image", "list", "--nonsense"]])
def test_no_escape_codes_where_there_is_no_terminal(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with environment(FORCE_COLOR="1"):
        ended(words)
    assert "\x1b" not in "".join(capsys.readouterr())


NASTY = "a\x1b]0;owned\x07\nb\x9b31m"


@pytest.mark.parametrize(
    "words",
    [
        ["image", "verify", "DIR"],
        ["image", "verify", "GONE"],
        ["image", "list", "DIR"],
        ["image", "name", "DIR"],
        ["kernel", "info", "FILE"],
        ["kernel", "newest", "FILE", "FILE"],
        ["manuf", "check", "FILE"],
        ["appliance", "check", "FILE"],
        ["identify", "--smbios", "FILE"],
        ["simulate", "replay", "FILE"],
        ["simulate", "lifecycle", "--branding", "FILE"],
        ["lab", "boot", "--workdir", "DIR"],
        ["DIR"],
    ],
)
def test_control_characters_of_names_are_escaped(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / NASTY).mkdir()
    (tmp_path / NASTY / "file").touch()
    (tmp_path / NASTY / NASTY).touch()
    paths = {"DIR": tmp_path / NASTY, "FILE": tmp_path / NASTY / "file", "GONE": tmp_path / NASTY / "gone"}
    ended([str(paths.get(word, word)) for word in words])
    shown = "".join(capsys.readouterr())
    assert r"\x1b]0;owned\x07\nb\x9b31m" in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)


def completed(*words: str) -> list[str]:
    output = io.StringIO()
    variables = {"_GPROV_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    with environment(**variables), redirect_stdout(output):
        assert ended([]) == 0
    return output.getvalue().split()


def test_completion_of_commands_actions_options_and_values() -> None:
    assert completed("gprov", "im") == ["image"]
    assert completed("gprov", "kernel", "") == ["info", "verify", "newest"]
    assert completed("gprov", "lab", "lifecycle", "--disks", "raid") == ["raid1", "raid5"]
    assert "--platforms" in completed("gprov", "identify", "--")
    assert completed("gprov", "simulate", "lifecycle", "--firmware", "b") == ["bios"]


def test_the_completion_script_of_bash(capsys: pytest.CaptureFixture[str]) -> None:
    with environment(_GPROV_COMPLETE="source_bash"):
        assert ended([]) == 0
    script = capsys.readouterr().out
    assert "complete -o default -F _gprov_completion gprov" in script
