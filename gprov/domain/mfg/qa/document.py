"""Renders the QA document of a unit: record and template → HTML, at most MAX_DOCUMENT characters."""

from __future__ import annotations

from collections.abc import Iterator

from gprov.domain.disk.layout import MIB
from gprov.domain.event_text import timestamp
from gprov.domain.mfg.burnin.report import BurnInReport
from gprov.domain.mfg.qa.blocks import Cell, Row, listed, pairs, paragraph, shown
from gprov.domain.mfg.qa.record import Pair, QaRecord
from gprov.domain.mfg.qa.template import QaTemplate
from gprov.domain.mfg.spec import HardwareSpec
from gprov.domain.unit.nics import sorted_by_mac

# Characters of one value outside of tables, and of the blocks.
_VALUE = 120
_SMALL, _LARGE, _STEPS = 6 << 10, 16 << 10, 96 << 10
_RESULT = "Provisioned; the hardware is as specified"


def qa_document(record: QaRecord, template: QaTemplate) -> str:
    return template.fill(_values(record) | _blocks(record))


def _values(record: QaRecord) -> dict[str, str]:
    unit, run = record.unit, record.run
    values = {
        "serial": unit.serial,
        "platform": unit.platform.code_name,
        "manufacturer": unit.manufacturer,
        "product": unit.product,
        "sku": unit.sku,
        "result": result_text(record),
        "started": timestamp(run.started_ns),
        "ended": timestamp(run.ended_ns),
        "version": run.version,
        "kernel": run.kernel,
    }
    return {name: shown(value, _VALUE) for name, value in values.items()}


def result_text(record: QaRecord) -> str:
    burn_in = f"; burn-in {record.burn_in.verdict.value}" if record.burn_in else ""
    return f"{_RESULT}{burn_in}"


def _blocks(record: QaRecord) -> dict[str, str]:
    hardware = record.hardware
    return {
        "identity": pairs(_identity(record), _SMALL),
        "run": pairs(_run(record), _SMALL),
        "specification": pairs(specification(record.spec), _LARGE),
        "hardware": pairs(_hardware(record), _SMALL),
        "firmware": pairs(_firmware(record), _SMALL),
        "disks": listed(
            ("Device", "Use", "Model", "Serial number", "Size", "Place"),
            (
                (
                    Cell(disk.node, "nowrap"),
                    Cell(use, "nowrap"),
                    f"{disk.vendor} {disk.model}".strip(),
                    disk.serial,
                    _size(disk.size),
                    disk.place,
                )
                for use, disk in hardware.disks
            ),
            _LARGE,
        ),
        "interfaces": listed(("Interface", "MAC", "Driver"), _interfaces(record), _SMALL),
        "burn_in": _burn_in(record.burn_in) if record.burn_in else paragraph("not asked for"),
        "files": listed(("File", "Size", "SHA-256", "Remarks"), _files(record), _LARGE),
        "steps": listed(("Point", "Step", "Command", "Exit status", "Time"), _steps(record), _STEPS),
        "credentials": pairs(record.credentials, _SMALL),
    }


def _identity(record: QaRecord) -> list[Pair]:
    unit = record.unit
    return [
        ("Serial number", unit.serial),
        ("Platform", unit.platform.code_name),
        ("Manufacturer", unit.manufacturer),
        ("Product", unit.product),
        ("SKU", unit.sku),
        *record.hardware.smbios,
    ]


def _run(record: QaRecord) -> list[Pair]:
    run = record.run
    return [
        ("Result", result_text(record)),
        ("Started (UTC)", timestamp(run.started_ns)),
        ("Ended (UTC)", timestamp(run.ended_ns)),
        ("Tool", f"gprov {run.version}"),
        ("Provisioning kernel", run.kernel or "unknown"),
    ]


def specification(spec: HardwareSpec) -> list[Pair]:
    """What was compared, as the specification states it; all of it fits the unit."""
    cpu = spec.cpu
    stated: list[tuple[str, object]] = [
        ("CPUInfo.Model", cpu.model if cpu else ""),
        ("CPUInfo.Cores", cpu.cores if cpu else None),
        ("CPUInfo.Sockets", cpu.sockets if cpu else None),
        ("RamMegs", spec.ram_megs),
        ("Recovery", spec.recovery.describe()),
        ("MainDiskConfigs", " or ".join(", ".join(disk.describe() for disk in one) for one in spec.main_disks)),
        ("NumOUINics", spec.oui_nics),
        ("OUINicsSequential", "true" if spec.oui_sequential else ""),
        ("TotalNics", spec.total_nics),
        *((f"FirmwareVer.{name}", version) for name, version in _versions(spec)),
        *(("Devices.PCI", f"{one.quantity} x {one.describe()}") for one in spec.pci),
        *(("Devices.USB", f"{one.quantity} x {one.describe()}") for one in spec.usb),
        ("Devices.PCI, no others", "true" if spec.pci_complete else ""),
        ("Devices.USB, no others", "true" if spec.usb_complete else ""),
        ("SerNumRegex", spec.serial_regex),
        *((f"DmiMatches.{key}", value) for key, value in spec.dmi_matches.items()),
    ]
    return [("Compared, without differences", spec.code_name)] + [
        (name, str(value)) for name, value in stated if value is not None and value != ""
    ]


def _versions(spec: HardwareSpec) -> list[Pair]:
    version = spec.firmware_version
    every = (
        ("BIOS", version.bios),
        ("IPMI", version.ipmi),
        ("FRU", version.fru),
        ("ME", version.me),
    )
    return [(name, text) for name, text in every if text]


def _hardware(record: QaRecord) -> list[Pair]:
    inventory = record.hardware.inventory
    cpus = inventory.cpus
    models = " / ".join(dict.fromkeys(cpus.models)) or "unknown"
    return [
        ("Processors", f"{cpus.sockets} x {models}, {cpus.cores} cores, {cpus.logical} logical processors"),
        ("Memory", f"{inventory.memory // MIB} MiB usable"),
        ("PCI devices", str(len(inventory.pci))),
        ("USB devices", str(len(inventory.usb))),
    ]


def _firmware(record: QaRecord) -> list[Pair]:
    found = record.hardware.firmware
    every = (("BIOS", found.bios), ("BMC", found.ipmi), ("FRU", found.fru), ("ME", found.me))
    return [(name, version) for name, version in every if version]


def _interfaces(record: QaRecord) -> Iterator[Row]:
    for nic in sorted_by_mac(record.hardware.nics):
        yield nic.name, nic.mac, nic.driver
    for mac in record.hardware.bmc_macs:
        yield "BMC", mac, ""


def _burn_in(report: BurnInReport) -> str:
    facts = [
        ("Verdict", report.describe()),
        ("Started (UTC)", timestamp(report.started_ns)),
        *(("Test", test) for test in report.tests),
        *(("Not measured", note) for note in report.notes),
    ]
    rows = (
        (check.quantity, check.measured, check.limit, Cell("yes") if check.passed else Cell("NO", "exceeded"))
        for check in report.checks
    )
    return pairs(facts, _SMALL) + listed(("Quantity", "Measured", "Limit", "Within"), rows, _SMALL)


def _files(record: QaRecord) -> Iterator[Row]:
    for file in record.files:
        yield file.path, Cell(f"{file.size:,} bytes", "nowrap"), Cell(file.sha256, "hash"), file.note


def _steps(record: QaRecord) -> Iterator[Row]:
    for step in record.steps:
        if not step.commands:
            yield Cell(step.when, "nowrap"), step.name, "(no command)", "", ""
        for command in step.commands:
            status = f"{command.status} ({command.wanted})"
            yield Cell(step.when, "nowrap"), step.name, command.text, status, Cell(f"{command.seconds:.1f} s", "nowrap")


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB ({count:,} bytes)"
