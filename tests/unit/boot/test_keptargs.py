"""Which kernel arguments outlive a restore."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.args import BootArguments, kernel_words, parse_boot_arguments
from gprov.domain.boot.kept_arguments import entry_arguments, parse_kept, serialise_kept
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput

NOTHING = BootArguments()


def start(line: str) -> BootArguments:
    """A start with this command line. What the kernel does not know, and has a value, reaches init's environment."""
    words = [word for word in kernel_words(line) if "=" in word and not word.startswith("console=")]
    return parse_boot_arguments(dict(word.split("=", 1) for word in words), Branding(), line)


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("", ""),
        ("pci=nomsi", ""),
        ("pci=nomsi nomodeset PROVISION_XLOG=http://f/", "quiet real_root=LABEL=PRIMARY pci=nomsi"),
        ("console=tty0 console=ttyS0 PROVISION_VERBOSE=1 PROVISION_KEY_WINDOW=0", ""),
        ('opt="a b" PROVISION_FAILURE_HOLD=5', 'opt="a b" PROVISION_FAILURE_HOLD=5'),
        ('a PROVISION_LCD_MANUFACTURER="Our Name" b', ""),
    ],
)
def test_a_start_with_fewer_arguments_loses_none(kept: str, told: str) -> None:
    assert entry_arguments(kept, "", start(told)) == kept


def test_what_a_start_was_told_replaces_what_was_kept_in_its_place() -> None:
    told = start("PROVISION_KEY_WINDOW=7 PROVISION_VERBOSE=1 console=ttyS1 console=ttyS0")
    kept = "console=tty0 a=1 PROVISION_KEY_WINDOW=3 b"
    assert (
        entry_arguments(kept, "", told)
        == "console=ttyS1 console=ttyS0 a=1 PROVISION_KEY_WINDOW=7 b PROVISION_VERBOSE=1"
    )


def test_what_is_given_replaces_both() -> None:
    told = start("PROVISION_VERBOSE=1 console=ttyS0 PROVISION_ROOT_WAIT=9")
    given_now = "PROVISION_ROOT_WAIT=60 console=ttyS1,115200 c"
    expected = "a=1 PROVISION_ROOT_WAIT=60 console=ttyS1,115200 c PROVISION_VERBOSE=1"
    assert entry_arguments("a=1 PROVISION_ROOT_WAIT=3", given_now, told) == expected


def test_several_values_of_one_key_stay_several() -> None:
    assert entry_arguments("m=1 m=2", "", NOTHING) == "m=1 m=2"
    assert entry_arguments("m=1 a m=2", "m=3 m=4", NOTHING) == "m=3 m=4 a"


@pytest.mark.parametrize(
    "word",
    ["real_root=LABEL=X", "DATA_ERASE=1", "frmode=shell", "mfgurl=http://f/", '"frmode=shell"', 'DATA"_ERASE"=1'],
)
def test_nothing_that_decides_what_a_start_is_for_is_kept(word: str) -> None:
    assert entry_arguments(f"a {word}", "b", NOTHING) == "a b"
    assert entry_arguments("a", f"{word} b", NOTHING) == "a b"
    assert parse_kept("boot.args", f"a {word}\nb\n".encode()) == "a b"


@pytest.mark.parametrize(
    "word",
    [
        "PROVISION_LOADER_FALLBACK=1",
        '"PROVISION_LOADER_FALLBACK=0"',
        'PROVISION"_"LOADER_FALLBACK=1',
        "PROVISION_LOADER_FALLBACK",
    ],
)
def test_who_started_the_kernel_is_not_kept(word: str) -> None:
    """An operator who copies the kernel command line copies it too."""
    assert entry_arguments(f"a {word}", "b", NOTHING) == "a b"
    assert entry_arguments("a", f"{word} b", NOTHING) == "a b"


WORDS = st.sampled_from(
    [
        "a",
        "b=1",
        "b=2",
        'c="x y"',
        "console=tty0",
        "console=ttyS0",
        "PROVISION_VERBOSE=1",
        "PROVISION_KEY_WINDOW=0",
        "PROVISION_KEY_WINDOW=3",
        "PROVISION_FAILURE_HOLD=5",
        "KERNEL_OVERRIDE=recovery",
    ]
)


def keys(line: str) -> set[str]:
    return {word.partition("=")[0] for word in kernel_words(line)}


LINES = st.lists(WORDS, max_size=8).map(" ".join)


@given(kept=LINES, given_now=LINES, told=LINES)
def test_entries_do_not_change_by_starting_from_them(kept: str, given_now: str, told: str) -> None:
    """NVRAM wears: what is written once is what the next restores want, too; also one without any arguments."""
    first = entry_arguments(kept, given_now, start(told))
    assert entry_arguments(first, "", NOTHING) == first
    again = entry_arguments(first, "", start(first))  # of two values for one key the start has heard the last
    assert entry_arguments(again, "", start(again)) == again
    assert keys(again) == keys(first) >= keys(kept) | keys(given_now)


@given(LINES)
def test_written_and_read(line: str) -> None:
    assert parse_kept("boot.args", serialise_kept(line)) == line


def test_what_is_written() -> None:
    assert serialise_kept("") == b""
    assert serialise_kept("a b") == b"a b\n"
    # Refused by every entry and menu, before it comes to this.
    assert serialise_kept("a=\u00e4") == b"a=?\n"


def test_quotes_in_front_of_a_key_do_not_belong_to_it() -> None:
    assert entry_arguments('"m=1 2" a', "m=3", NOTHING) == "m=3 a"
    assert entry_arguments("m=1 a", '"m=2 3"', NOTHING) == '"m=2 3" a'


def test_as_much_as_there_may_be() -> None:
    assert parse_kept("boot.args", b"a" * 4096) == "a" * 4096


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a\0b", "must be printable ASCII"),
        (b"a \xc3\xa4", "must be printable ASCII"),
        (b"\x1b[2J", "must be printable ASCII"),
        (b"a" * 4097, "more than 4096 bytes"),
    ],
)
def test_what_is_no_list_of_arguments(data: bytes, problem: str) -> None:
    with pytest.raises(BadInput, match=rf"boot\.args: {problem}"):
        parse_kept("boot.args", data)


@given(st.binary(max_size=64))
def test_any_bytes(data: bytes) -> None:
    try:
        line = parse_kept("boot.args", data)
    except BadInput:
        return
    assert line.isascii()
    assert parse_kept("boot.args", serialise_kept(line)) == line
