from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.initramfs.kconfig import (
    Setting,
    check_options_applied,
    parse_config,
    parse_fragment,
    serialise_config,
)
from gprov.apps.host.initramfs.kernel_source import known_symbols
from gprov.domain.errors import BadInput, Problem

FRAGMENT = Path(__file__).parents[3] / "buildroot/kernel/x86_64.config"


def test_values_and_absences() -> None:
    text = '# comment\n\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="two words"\nCONFIG_D=250\n'
    expected = {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_C": '"two words"', "CONFIG_D": "250"}
    assert parse_config(text, "x") == expected


def test_all_problems_of_a_fragment() -> None:
    with pytest.raises(BadInput) as caught:
        parse_config("CONFIG_A=y\nCONFG B\nCONFIG_A=n\nCONFIG_E=\n", "x")
    assert [problem.place for problem in caught.value.problems] == ["line 2", "line 3", "line 4"]


def test_absent_symbol_counts_as_off() -> None:
    settings = parse_fragment("# CONFIG_A is not set\nCONFIG_B=y\n", "x")
    check_options_applied(settings, {"CONFIG_B": "y"}, {"CONFIG_A", "CONFIG_B"})


@pytest.mark.parametrize(("result", "final"), [({}, "n"), ({"CONFIG_A": "n"}, "n"), ({"CONFIG_A": "m"}, "m")])
def test_symbol_that_was_not_applied(result: dict[str, str], final: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_options_applied(parse_fragment("# words\nCONFIG_A=y\n", "server"), result, {"CONFIG_A"})
    assert caught.value.details() == (f"server:2: CONFIG_A: requested y, final configuration: {final}",)


def test_symbol_that_stays_on() -> None:
    with pytest.raises(BadInput) as caught:
        check_options_applied(parse_fragment("# CONFIG_A is not set\n", "own.config"), {"CONFIG_A": "y"}, {"CONFIG_A"})
    assert caught.value.details() == ("own.config:1: CONFIG_A: requested n, final configuration: y",)


def test_a_misspelt_symbol_that_is_to_be_off() -> None:
    with pytest.raises(BadInput) as caught:
        check_options_applied(parse_fragment("# CONFIG_KVVM is not set\n", "own.config"), {}, {"CONFIG_KVM"})
    assert caught.value.details() == ("own.config:1: CONFIG_KVVM: the kernel's source has no such symbol",)


def test_symbols_of_a_source(tmp_path: Path) -> None:
    (tmp_path / "drivers/net").mkdir(parents=True)
    (tmp_path / "Kconfig").write_text('config A\n\tbool "a"\n\tselect B\n\thelp\n\t  The configuration X.\n')
    (tmp_path / "drivers/net/Kconfig.debug").write_text("if A\n\n  menuconfig NET_9\n#config C\nendif\n")
    (tmp_path / "drivers/net/Makefile").write_text("config D\n")
    assert known_symbols(str(tmp_path)) == {"CONFIG_A", "CONFIG_NET_9"}


SYMBOLS = st.from_regex(r"CONFIG_[A-Z0-9_]{1,9}", fullmatch=True)
VALUES = st.sampled_from(["y", "m", "n", "250", "0x10", '"two words"', '"# not a comment"'])


@given(st.dictionaries(SYMBOLS, VALUES, max_size=20))
def test_what_is_written_is_read_again(values: dict[str, str]) -> None:
    text = serialise_config({symbol: Setting(value, "any:1") for symbol, value in values.items()})
    assert parse_config(text, "x") == values


@given(st.text(alphabet=st.sampled_from("CONFIG_AB=ym\n# isnotse\x0b\u2028")))
def test_any_text_is_settings_or_problems_with_lines(text: str) -> None:
    """Places name the line as an editor counts it."""
    lines = text.split("\n")
    settings: Mapping[str, Setting] = {}
    problems: tuple[Problem, ...] = ()
    try:
        settings = parse_fragment(text, "x")
    except BadInput as error:
        problems = error.problems
    for problem in problems:
        assert lines[int(problem.place.removeprefix("line ")) - 1].strip()
    for symbol, setting in settings.items():
        assert symbol in lines[int(setting.place.removeprefix("x:")) - 1]


def test_project_fragment_boots_reboots_and_runs_scripts() -> None:
    symbols = parse_config(FRAGMENT.read_text(), "fragment")
    assert int(symbols["CONFIG_PANIC_TIMEOUT"]) > 0
    for symbol in ("BINFMT_SCRIPT", "RD_ZSTD", "EFI_STUB", "EFIVAR_FS", "EXT4_FS", "FS_ENCRYPTION", "BLK_DEV_NVME"):
        assert symbols[f"CONFIG_{symbol}"] == "y"
    assert symbols["CONFIG_MODULES"] == "n"


def test_project_fragment_has_the_drivers_of_displays() -> None:
    """LCDs are FTDI adapters or CDC-ACM devices, on any USB controller."""
    symbols = parse_config(FRAGMENT.read_text(), "fragment")
    controllers = ("USB_PCI", "USB_XHCI_HCD", "USB_EHCI_HCD", "USB_OHCI_HCD", "USB_UHCI_HCD")
    for symbol in ("USB_SERIAL", "USB_SERIAL_FTDI_SIO", "USB_ACM", "EVENTFD", *controllers):
        assert symbols[f"CONFIG_{symbol}"] == "y"
