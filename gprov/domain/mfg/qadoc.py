"""The QA document: hardware and images of a provisioned unit as HTML, without secrets."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import Inventory
from gprov.domain.unit.nics import Nic

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<table>
{rows}</table>
</body>
</html>
"""


def qa_document(
    unit: Unit, inventory: Inventory, disks: Iterable[Disk], nics: Iterable[Nic], images: Iterable[str]
) -> str:
    """A page with one table of names and values, in a fixed order; values are escaped."""
    rows = [
        ("Serial number", unit.serial),
        ("Platform", unit.platform.code_name),
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
    return _PAGE.format(
        title=escape(f"QA of {_one_line(unit.serial)}"),
        rows="".join(f"<tr><th>{name}</th><td>{escape(_one_line(value))}</td></tr>\n" for name, value in rows),
    )


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
