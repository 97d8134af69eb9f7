"""The QA document: hardware and images of a provisioned unit as plain text, without secrets."""

from __future__ import annotations

from collections.abc import Iterable

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import Inventory
from gprov.domain.unit.nics import Nic


def qa_document(
    unit: Unit, inventory: Inventory, disks: Iterable[Disk], nics: Iterable[Nic], images: Iterable[str]
) -> str:
    """Lines of ``name: value``, in a fixed order, ending with a line end."""
    lines = [
        ("Serial number", unit.serial),
        ("Platform", unit.platform.code_name + (" (by fallback)" if unit.by_fallback else "")),
        ("Manufacturer", unit.manufacturer),
        ("Product", unit.product),
        ("SKU", unit.sku),
        (
            "Processors",
            f"{inventory.cpus.sockets} x {inventory.cpus.models[0] if inventory.cpus.models else 'unknown'}",
        ),
        ("Memory", f"{inventory.memory // MIB} MiB"),
        *(("Disk", disk.describe()) for disk in disks),
        *(("Interface", f"{nic.name} {nic.mac}") for nic in nics),
        *(("Image", image.rsplit("/", 1)[-1]) for image in images),
    ]
    return "".join(f"{name}: {_one_line(value)}\n" for name, value in lines)


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
