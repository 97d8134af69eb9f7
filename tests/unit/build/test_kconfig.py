from __future__ import annotations

from pathlib import Path

import pytest

from gprov.apps.host.initramfs.kconfig import check_options_applied, parse_config
from gprov.domain.errors import BadInput

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
    check_options_applied({"CONFIG_A": "n", "CONFIG_B": "y"}, {"CONFIG_B": "y"})


@pytest.mark.parametrize("result", [{}, {"CONFIG_A": "n"}, {"CONFIG_A": "m"}])
def test_symbol_that_was_not_applied(result: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="CONFIG_A"):
        check_options_applied({"CONFIG_A": "y"}, result)


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
