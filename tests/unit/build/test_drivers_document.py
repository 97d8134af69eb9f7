"""docs/reference/drivers.md is what the configuration and the facts of the kernel's source give."""

from __future__ import annotations

from pathlib import Path

from gprov.apps.host.initramfs.firmware import FirmwareSet, parse_firmware_sets
from gprov.apps.host.initramfs.kconfig import NO
from tools.drivers import (
    FACTS,
    KERNEL,
    PAGE,
    area_of,
    configurations,
    folder_problem,
    generated,
    page,
    read_facts,
    rows,
    write_facts,
)
from tools.kernel_source import Driver


def test_the_document_is_generated() -> None:
    """Run `python -m tools.drivers` after a change of the configuration."""
    assert PAGE.read_text() == generated()


def test_facts_are_of_the_configuration() -> None:
    """Every driver is set by the base or a fragment, and has an area; nothing is left from an earlier configuration."""
    wanted = {symbol for values in configurations(KERNEL).values() for symbol, value in values.items() if value != NO}
    drivers = [*read_facts(FACTS.read_text())]
    assert {driver.symbol for driver in drivers} <= wanted
    assert all(area_of(driver.folder) for driver in drivers)
    assert write_facts(drivers) == FACTS.read_text()


def test_drivers_that_fleets_have_are_in_every_kernel() -> None:
    base = {
        row.driver.modules
        for row in rows(read_facts(FACTS.read_text()), configurations(KERNEL), {})
        if row.where == "base"
    }
    built_in = {name for modules in base for name in modules}
    storage = "hpsa smartpqi aacraid megaraid megaraid_mbox megaraid_sas mpt3sas mptsas mptspi vmw_pvscsi hv_storvsc"
    storage += " sym53c8xx am53c974 isci ahci nvme virtio_blk virtio_scsi sdhci-pci usb-storage uas"
    network = "bnx2 bnx2x bnxt_en tg3 ice i40e ixgbe igb igc e1000 e1000e e100 r8169 8139cp 8139too mlx5_core vmxnet3"
    network += " hv_netvsc virtio_net pcnet32 ne2k-pci tulip"
    other = "hv_vmbus ipmi_si ipmi_ssif i2c-i801 pcspkr exfat ntfs3"
    assert set(f"{storage} {network} {other}".split()) - built_in == set()


def test_files_of_firmware_sets_are_those_that_drivers_ask_for() -> None:
    sets = parse_firmware_sets((KERNEL / "firmware.toml").read_text(), "firmware.toml")
    asked = {file for driver in read_facts(FACTS.read_text()) for file in driver.firmware}
    assert {file for one in sets.values() for file in one.files} - asked == set()


def test_the_first_fragment_that_sets_a_symbol_counts() -> None:
    drivers = [
        Driver("CONFIG_A", "drivers/net/a", ("a", "b"), "Adapter A", ("x/1", "x/2", "y")),
        Driver("CONFIG_B", "fs/b", ("b",), "B", ()),
        Driver("CONFIG_C", "fs/c", ("c",), "C", ("z",)),
    ]
    configs = {
        "base": {"CONFIG_A": "y", "CONFIG_C": "n"},
        "server": {"CONFIG_A": "m", "CONFIG_B": "m", "CONFIG_OTHER": "y"},
    }
    found = rows(drivers, configs, {"acme": FirmwareSet("p", ("x/1", "x/2"))})
    assert [(row.driver.symbol, row.where, row.firmware) for row in found] == [
        ("CONFIG_A", "base", "acme, 1 in no set"),
        ("CONFIG_B", "server, module", ""),
    ]
    text = page(found)
    assert "| `a`, `b` | Adapter A | `A` | base | acme, 1 in no set |\n" in text
    assert text.index("## Network") < text.index("Adapter A") < text.index("## File systems") < text.index("| B |")


def test_facts_are_read_from_a_source_and_compiled_trees_alone(tmp_path: Path) -> None:
    """Else drivers.tsv would be written without drivers, or without firmware."""
    source, tree = tmp_path / "source", tmp_path / "tree"
    assert "no source of a kernel" in folder_problem(source, [tree])
    (source / "drivers").mkdir(parents=True)
    (source / "drivers/Kconfig").touch()
    assert "no compiled tree of a kernel" in folder_problem(source, [tree])
    tree.mkdir()
    (tree / "modules.builtin.modinfo").touch()
    assert folder_problem(source, [tree]) == ""
