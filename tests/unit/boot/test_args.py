"""Kernel arguments."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.args import (
    BootArguments,
    EraseMode,
    PreferredImage,
    kernel_words,
    parse_boot_arguments,
    persistent_arguments,
    without_mode_arguments,
)
from gprov.domain.branding import Branding

BRANDING = Branding()


def parse(*words: str, command_line: str = "") -> BootArguments:
    environment = dict(word.split("=", 1) for word in ("HOME=/", "TERM=linux", *words))
    return parse_boot_arguments(environment, BRANDING, command_line)


def test_a_normal_boot() -> None:
    assert parse("real_root=LABEL=PRIMARY") == BootArguments(real_root="LABEL=PRIMARY")


def test_all_arguments() -> None:
    assert parse(
        "real_root=UUID=1234",
        "DATA_ERASE=1",
        "mfgurl=http://factory/manufData.json",
        "PREFERRED_UPDATE=oldest",
        "frmode=shell",
        "PROTO_IDENT=QEMU-mfg-test",
        "KERNEL_OVERRIDE=recovery",
        "PROVISION_XLOG=http://factory/",
        "PROVISION_VERBOSE=1",
        "PROVISION_CONT_LOGGING=1",
        "PROVISION_MFG_TEST=Skip-networking,No-create-recov",
        "NO_REBOOT=1",
        "PROVISION_KEY_WINDOW=0",
        "PROVISION_ROOT_WAIT=30.5",
        "PROVISION_ARRAY_WAIT=7",
        "PROVISION_FAILURE_HOLD=5",
        "PROVISION_BOOT_ARGS=a=1 DATA_ERASE=1 b",
        command_line="quiet console=tty0 console=ttyS0,115200 DATA_ERASE=1",
    ) == BootArguments(
        real_root="UUID=1234",
        erase=EraseMode.REQUESTED,
        mfg_url="http://factory/manufData.json",
        preferred_image=PreferredImage.OLDEST,
        shell=True,
        proto_ident="QEMU-mfg-test",
        kernel_override_recovery=True,
        xlog="http://factory/",
        verbose=True,
        cont_logging=True,
        mfg_test="Skip-networking,No-create-recov",
        no_reboot=True,
        key_window=0,
        root_deadline=30.5,
        array_wait=7,
        failure_hold=5,
        boot_args="a=1 b",
        consoles=("tty0", "ttyS0,115200"),
    )


@pytest.mark.parametrize(
    ("words", "requested"),
    [
        ([], True),
        (["quiet=1"], True),
        (["real_root="], True),
        (["real_root=nonsense"], False),
        (["DATA_ERASE=1"], False),
        (["DATA_ERASE=0"], False),
        (["DATA_ERASE=perhaps"], False),
    ],
)
def test_a_start_without_either_argument_requests_a_restore(words: list[str], requested: bool) -> None:
    assert parse(*words).restore_requested is requested


@pytest.mark.parametrize(
    ("value", "mode", "notes"),
    [
        ("1", EraseMode.REQUESTED, 0),
        ("yes", EraseMode.REQUESTED, 0),
        ("UNRECOVERABLE_ERROR", EraseMode.UNRECOVERABLE_ERROR, 0),
        ("unrecoverable_error", EraseMode.UNRECOVERABLE_ERROR, 0),
        ("", EraseMode.NONE, 0),
        ("0", EraseMode.NONE, 0),
        ("No", EraseMode.NONE, 0),
        ("11", EraseMode.NONE, 1),
        ("UNRECOVERABLE", EraseMode.NONE, 1),
    ],
)
def test_only_a_clear_word_erases(value: str, mode: EraseMode, notes: int) -> None:
    arguments = parse(f"DATA_ERASE={value}")
    assert (arguments.erase, len(arguments.notes)) == (mode, notes)


@pytest.mark.parametrize(
    ("value", "image", "notes"),
    [
        ("oldest", PreferredImage.OLDEST, 0),
        ("-Oldest", PreferredImage.OLDEST, 0),
        ("_MENU", PreferredImage.MENU, 0),
        ("--menu", PreferredImage.MENU, 0),
        ("latest", PreferredImage.LATEST, 0),
        ("", PreferredImage.LATEST, 0),
        ("-", PreferredImage.LATEST, 0),
        ("second", PreferredImage.LATEST, 1),
    ],
)
def test_preferred_image(value: str, image: PreferredImage, notes: int) -> None:
    arguments = parse(f"PREFERRED_UPDATE={value}")
    assert (arguments.preferred_image, len(arguments.notes)) == (image, notes)


@pytest.mark.parametrize("value", ["ten", "-1", "nan", "inf", "86401", "1e9", "10 s"])
def test_a_wait_that_is_no_number_falls_to_its_default(value: str) -> None:
    arguments = parse(f"PROVISION_KEY_WINDOW={value}", f"PROVISION_ROOT_WAIT={value}")
    assert (arguments.key_window, arguments.root_deadline) == (10, 120)
    assert len(arguments.notes) == 2
    assert f"PROVISION_KEY_WINDOW={value!r}" in arguments.notes[0]


@pytest.mark.parametrize(("value", "on"), [("1", True), ("x", True), ("", False), ("0", False), ("OFF", False)])
def test_switches(value: str, on: bool) -> None:
    arguments = parse(f"PROVISION_VERBOSE={value}", f"NO_REBOOT={value}", f"PROVISION_CONT_LOGGING={value}")
    assert (arguments.verbose, arguments.no_reboot, arguments.cont_logging) == (on, on, on)


@pytest.mark.parametrize("word", ["frmode=gui", "KERNEL_OVERRIDE=image"])
def test_unknown_words_are_noted(word: str) -> None:
    arguments = parse(word)
    assert (arguments.shell, arguments.kernel_override_recovery) == (False, False)
    assert len(arguments.notes) == 1


def test_own_arguments_follow_the_branding() -> None:
    own = Branding(environment_prefix="ACME_")
    arguments = parse_boot_arguments({"ACME_KEY_WINDOW": "3", "PROVISION_VERBOSE": "1"}, own)
    assert (arguments.key_window, arguments.verbose) == (3, False)
    assert persistent_arguments(arguments) == "ACME_KEY_WINDOW=3"


@given(
    st.dictionaries(
        st.sampled_from(
            ["real_root", "DATA_ERASE", "PREFERRED_UPDATE", "frmode", "KERNEL_OVERRIDE"]
            + [
                f"PROVISION_{name}"
                for name in ("VERBOSE", "KEY_WINDOW", "ROOT_WAIT", "ARRAY_WAIT", "FAILURE_HOLD", "BOOT_ARGS")
            ]
        ),
        st.text(max_size=30),
    ),
    st.text(max_size=60),
)
def test_no_environment_stops_a_boot(environment: dict[str, str], command_line: str) -> None:
    arguments = parse_boot_arguments(environment, BRANDING, command_line)
    assert 0 <= arguments.key_window <= 86400
    assert 0 <= arguments.root_deadline <= 86400
    assert 0 <= arguments.array_wait <= 86400


def test_nothing_is_carried_by_default() -> None:
    assert persistent_arguments(parse("real_root=LABEL=PRIMARY", command_line="quiet console=ttyS0")) == ""


def test_carried_arguments_are_read_back_as_they_were() -> None:
    """What a restore puts into the entries must make the next start do the same."""
    first = parse(
        "PROVISION_VERBOSE=1",
        "KERNEL_OVERRIDE=recovery",
        "PROVISION_KEY_WINDOW=2.5",
        "PROVISION_ROOT_WAIT=60",
        "PROVISION_ARRAY_WAIT=12",
        "PROVISION_FAILURE_HOLD=0",
        command_line="console=tty0 console=ttyS0,115200n8",
    )
    line = persistent_arguments(first)
    assert line == (
        "console=tty0 console=ttyS0,115200n8 PROVISION_VERBOSE=1 KERNEL_OVERRIDE=recovery "
        "PROVISION_KEY_WINDOW=2.5 PROVISION_ROOT_WAIT=60 PROVISION_ARRAY_WAIT=12 PROVISION_FAILURE_HOLD=0"
    )
    words = [word for word in line.split() if not word.startswith("console=")]
    assert parse(*words, command_line=line) == first


@pytest.mark.parametrize(("name", "word"), [("QEMU", "QEMU"), ("Our  Name, Inc.", '"Our  Name, Inc."')])
def test_the_manufacturer_of_displays_is_passed_on(name: str, word: str) -> None:
    first = parse(f"PROVISION_LCD_MANUFACTURER= {name} ")
    assert first.lcd_manufacturer == name
    line = persistent_arguments(first)
    assert line == f"PROVISION_LCD_MANUFACTURER={word}"
    assert kernel_words(line) == (line,)
    assert parse(line.replace('"', "")) == first


@pytest.mark.parametrize("name", ['a"b', "ü", "a\tb", "x" * 127])
def test_a_manufacturer_that_no_argument_can_hold_is_ignored_with_a_note(name: str) -> None:
    arguments = parse(f"PROVISION_LCD_MANUFACTURER={name}")
    assert arguments.lcd_manufacturer == ""
    assert "PROVISION_LCD_MANUFACTURER" in arguments.notes[0]
    assert persistent_arguments(arguments) == ""


@pytest.mark.parametrize(
    ("arguments", "rest"),
    [
        ("", ""),
        ("a=1  b", "a=1 b"),
        ("real_root=LABEL=X a DATA_ERASE=1 frmode=shell mfgurl=http://x", "a"),
        ('"DATA_ERASE=1" a', "a"),
        ("DATA_ERASE", ""),
        ('dyndbg="file x.c +p" real_root=Y', 'dyndbg="file x.c +p"'),
        ('a="x DATA_ERASE=1 y"', 'a="x DATA_ERASE=1 y"'),
        ("xreal_root=1 DATA_ERASE_NOT=1", "xreal_root=1 DATA_ERASE_NOT=1"),
        ('a="open DATA_ERASE=1', 'a="open DATA_ERASE=1'),
    ],
)
def test_words_that_decide_what_a_start_is_for_are_left_out(arguments: str, rest: str) -> None:
    assert without_mode_arguments(arguments) == rest


@given(st.lists(st.sampled_from(["real_root=X", "DATA_ERASE=1", "frmode=shell", '"mfgurl=u"', 'a="b c"', "d"])))
def test_a_shell_like_reader_finds_no_mode_word_left(words: list[str]) -> None:
    left = shlex.split(without_mode_arguments(" ".join(words)))
    assert left == [shlex.split(word)[0] for word in words if word in ('a="b c"', "d")]
