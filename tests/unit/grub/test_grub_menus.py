"""The texts that GRUB reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.args import parse_boot_arguments
from gprov.domain.boot.grub.menus import core_script, normal_menu, recovery_menu
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput

NAMES = Branding()
UUID = "0b1c2d3e-1111-5222-8333-444455556666"


def entries(menu: str) -> dict[str, list[str]]:
    """Commands by title, of the outermost level."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in menu.splitlines():
        if line.startswith(("menuentry ", "submenu ")):
            title = line.split('"')[1]
            found[title] = []
        elif title:
            found[title].append(line.strip())
    return found


def linux(lines: list[str]) -> str:
    return next(line for line in lines if line.startswith("linux "))


def test_the_normal_menu() -> None:
    menu = normal_menu(NAMES, UUID, "PROVISION_ROOT_WAIT=90")
    found = entries(menu)
    assert list(found) == [
        "Normal Boot",
        "Recovery",
        "Recovery (second copy)",
        "Restart",
        "Forced Factory Restore",
        "Data Erase (DANGER!)",
    ]
    started = linux(found["Normal Boot"])
    assert started == f"linux ($boot)/norm_boot quiet real_root=UUID={UUID} 'PROVISION_ROOT_WAIT=90'"
    assert "set default=0" in menu
    assert 'set fallback="1 2 3"' in menu


def test_what_loads_next_if_the_first_does_not() -> None:
    """The other disks of an array before RECOVERY, which only a person may start as a wish for a restore."""
    found = entries(normal_menu(NAMES, UUID, "", ["other-uuid"]))
    assert list(found)[:4] == ["Normal Boot", "Normal Boot (other disk 1)", "Recovery", "Recovery (second copy)"]
    assert "search --no-floppy --set=boot --fs-uuid other-uuid" in found["Normal Boot (other disk 1)"]
    for title in ("Recovery", "Recovery (second copy)"):
        assert "PROVISION_LOADER_FALLBACK=1" in linux(found[title])
        assert "real_root" not in linux(found[title])
    assert linux(found["Forced Factory Restore"]) == "linux ($recovery)/norm_boot quiet"


def test_an_erase_needs_a_second_choice() -> None:
    inner = entries(recovery_menu(NAMES, ""))["Data Erase (DANGER!)"]
    assert "set default=0" in inner
    kept, erased = inner.index('menuentry "No, keep all data: restart" {'), inner.index(linux(inner))
    assert kept < erased
    assert linux(inner) == "linux ($recovery)/norm_boot DATA_ERASE=1"
    inner = entries(recovery_menu(NAMES, "console=ttyS0"))["Data Erase (DANGER!)"]
    assert linux(inner) == "linux ($recovery)/norm_boot DATA_ERASE=1 'console=ttyS0'"


@pytest.mark.parametrize(
    ("arguments", "seconds"), [("", 2), ("PROVISION_KEY_WINDOW=0", 0), ("PROVISION_KEY_WINDOW=30", 2)]
)
def test_who_waits_for_no_keys_does_not_wait_here(arguments: str, seconds: int) -> None:
    assert f"set timeout={seconds}\n" in recovery_menu(NAMES, arguments)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("console=ttyS1,115200n8", "serial --unit=1 --speed=115200"),
        ("console=tty0 console=ttyS0", "serial --unit=0 --speed=9600"),
    ],
)
def test_the_menu_is_on_the_serial_line_of_the_kernel(arguments: str, line: str) -> None:
    assert line in recovery_menu(NAMES, arguments).splitlines()
    assert "serial" not in recovery_menu(NAMES, "console=tty0")


def test_words_that_say_what_a_start_is_for_stay_out() -> None:
    menu = normal_menu(NAMES, UUID, "real_root=LABEL=x DATA_ERASE=1 frmode=shell a=b")
    assert linux(entries(menu)["Normal Boot"]).endswith(f"real_root=UUID={UUID} 'a=b'")


@pytest.mark.parametrize("word", ["a='b'", "a=\\b", "a=ä", "a=\x07", 'a="b\tc"'])
def test_what_grub_cannot_pass_is_refused(word: str) -> None:
    with pytest.raises(BadInput):
        recovery_menu(NAMES, word)


def test_a_command_line_that_no_kernel_takes_is_refused() -> None:
    with pytest.raises(BadInput, match="1900"):
        recovery_menu(NAMES, "x=" + "y" * 2000)


@given(st.text(max_size=60))
def test_any_arguments_make_a_menu_or_a_bad_input(arguments: str) -> None:
    try:
        menu = normal_menu(NAMES, UUID, arguments)
    except BadInput:
        return
    assert linux(entries(menu)["Normal Boot"]).startswith(f"linux ($boot)/norm_boot quiet real_root=UUID={UUID}")
    assert all(line.count("'") % 2 == 0 for line in menu.splitlines())


def test_names_are_those_of_the_brand() -> None:
    names = Branding(recovery_label="RESCUE", boot_kernel="vmlinuz", environment_prefix="X_")
    for text in (core_script(names), normal_menu(names, UUID, ""), recovery_menu(names, "")):
        assert "--label RESCUE" in text
        assert "/vmlinuz" in text
        assert "X_LOADER_FALLBACK=1" in text
        assert "RECOVERY" not in text


def test_the_fallback_argument_marks_automatic_entries() -> None:
    told = parse_boot_arguments({"PROVISION_LOADER_FALLBACK": "1", "BOOT_IMAGE": "(hd0,1)/norm_boot"}, NAMES)
    assert told.loader_fallback
    assert told.restore_requested
    assert not told.notes
