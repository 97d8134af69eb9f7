"""The QA document: what it states, read with the standard library's HTML parser, and that no value becomes markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gprov.apps.host.cli.qa_sample import BURN_IN, DISK, HASH, RECORD
from gprov.domain.factory.syntax import MAX_DOCUMENT
from gprov.domain.formats.printable import printable_text
from gprov.domain.mfg.burnin.report import Check
from gprov.domain.mfg.qa.blocks import MAX_TEXT
from gprov.domain.mfg.qa.document import qa_document, specification
from gprov.domain.mfg.qa.kernel import kernel_text
from gprov.domain.mfg.qa.page import standard_template
from gprov.domain.mfg.qa.record import CommandRecord, FileRecord, QaRecord, StepRecord
from gprov.domain.mfg.qa.template import BLOCKS, MAX_TEMPLATE, VALUES, parse_template
from gprov.domain.mfg.spec import CpuSpec, DeviceSpec, DiskSpec, FirmwareVersions, HardwareSpec
from tests.unit.qa.records import any_record

DASH = "\N{EN DASH}"
_VOID = {"meta", "br"}
ATTRIBUTES = {
    ("lang", "en"),
    ("charset", "utf-8"),
    ("colspan", "2"),
    ("colspan", "4"),
    ("colspan", "5"),
    ("colspan", "6"),
}


class Reader(HTMLParser):
    """``rows``: texts of the cells of each row; ``tags``: how often each element is opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[tuple[str, str | None]] = set()
        self.rows: list[list[str]] = []
        self.text = ""
        self.open: list[str] = []
        self.comments = 0
        self.feed(page)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= set(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_comment(self, data: str) -> None:
        self.comments += 1

    @override
    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    def value(self, name: str) -> str:
        return next(row[1] for row in self.rows if row[0] == name)


def page(record: QaRecord = RECORD) -> Reader:
    return Reader(qa_document(record, standard_template()))


STANDARD = page()


def test_everything_that_was_done_is_on_the_page() -> None:
    found = page()
    assert found.value("Manufacturer") == "ACME & Söhne"
    assert found.value("Product") == "Box <1>"
    assert found.value("Tool") == "gprov 0.1.0"
    assert found.value("Provisioning kernel") == "Linux 6.1.0 #42"
    assert found.value("Started (UTC)") < found.value("Ended (UTC)")
    assert found.value("Result").endswith("burn-in passed")
    assert found.value("Processors") == "1 x Example CPU @ 3.40GHz, 4 cores, 8 logical processors"
    assert found.value("BIOS") == "F.21"
    assert found.value("BMC") == "3.11"
    assert found.value("Verdict") == "passed in 1805 s"
    for row in (
        ["/dev/sda", "PRIMARY", "ATA Example SSD 480", "S3R14L0001", "480.1 GB (480,103,981,056 bytes)", DISK.place],
        ["eth0", "56:78:90:00:00:01", "igb"],
        ["BMC", "56:78:90:00:00:09", DASH],
        ["BeforePWSet", "BIOS password", "./bios-tool --password ***", "0 (MustSucceed)", "1.0 s"],
        ["StashFiles", "http://10.1.0.1/stash.txz", "/bin/sh install.sh", "0 (MustSucceed)", "12.5 s"],
        ["ESP/norm_boot", "18,300,000 bytes", HASH[::-1], "boot kernel: Linux 6.1.0 #42 SMP"],
        ["reading of /dev/sda", "512.3 MB/s", "at least 300 MB/s", "yes"],
        ["Devices.PCI", "2 x 'Ethernet' (vendor 0x8086 device 0x1533)"],
    ):
        assert row in found.rows, row


EMPTY = HardwareSpec(code_name="", recovery=DiskSpec(size=1), main_disks=())
GIVEN = {
    "code_name": "x",
    "recovery": DiskSpec(size=2),
    "main_disks": ((DiskSpec(size=1),),),
    "cpu": CpuSpec("", 1),
    "ram_megs": 1,
    "oui_nics": 0,
    "oui_sequential": True,
    "total_nics": 0,
    "firmware_version": FirmwareVersions(me="1"),
    "pci": (DeviceSpec(quantity=0, vendor=1),),
    "usb": (DeviceSpec(quantity=0, vendor=1),),
    "pci_complete": True,
    "usb_complete": True,
    "serial_regex": "x",
    "dmi_matches": {"a": "b"},
}


@pytest.mark.parametrize("name", [field.name for field in fields(HardwareSpec)])
def test_all_that_was_compared_is_stated(name: str) -> None:
    assert specification(replace(EMPTY, **{name: GIVEN[name]})) != specification(EMPTY)  # type: ignore[arg-type]


def test_a_unit_without_burn_in_and_steps_says_so() -> None:
    found = page(replace(RECORD, burn_in=None, steps=()))
    assert "Burn-in\nnot asked for\n" in found.text
    assert "Steps\nnone\n" in found.text
    assert "burn-in" not in found.value("Result")


def test_what_exceeded_a_limit_is_marked_without_colour() -> None:
    failing = replace(BURN_IN, checks=(Check("reading of /dev/sda", "9.0 MB/s", "at least 300 MB/s", passed=False),))
    found = page(replace(RECORD, burn_in=failing))
    assert ["reading of /dev/sda", "9.0 MB/s", "at least 300 MB/s", "NO"] in found.rows
    assert found.value("Verdict").startswith("failed: reading of /dev/sda")


@given(any_record())
@settings(deadline=None)
def test_no_value_becomes_markup(record: QaRecord) -> None:
    found = page(record)
    assert found.tags.keys() <= STANDARD.tags.keys()
    assert found.open == []
    assert found.comments == 0
    new = found.attributes - STANDARD.attributes
    assert new <= ATTRIBUTES | {("class", "none"), ("class", "exceeded")}
    assert found.tags["style"] == found.tags["h1"] == 1
    assert found.value("Manufacturer") == (printable_text(record.unit.manufacturer) or DASH)
    for step in record.steps:
        for command in step.commands:
            assert any(row[2:3] == [printable_text(command.text) or DASH] for row in found.rows)


def commands(count: int, text: str) -> tuple[StepRecord, ...]:
    one = CommandRecord(text, 0, "MustSucceed", 0.1)
    return tuple(StepRecord("BeforeImaging", f"step {number}", (one,)) for number in range(count))


def test_five_hundred_steps_are_all_listed() -> None:
    found = page(replace(RECORD, steps=commands(500, "/run/gprov/BeforeImaging-0/tool --option value")))
    assert sum(row[0] == "BeforeImaging" for row in found.rows) == 500


def test_more_steps_than_there_is_room_for_are_counted() -> None:
    text = qa_document(replace(RECORD, steps=commands(3000, "'" * 200)), standard_template())
    found = Reader(text)
    shown = sum(row[0] == "BeforeImaging" for row in found.rows)
    assert shown > 50
    assert [f"{3000 - shown} more: no room here, see the log of the unit on the factory server"] in found.rows
    assert found.open == []


def test_a_long_text_is_cut() -> None:
    found = page(replace(RECORD, steps=commands(1, "x" * 5000)))
    [row] = [row for row in found.rows if row[0] == "BeforeImaging"]
    assert row[2] == "x" * (MAX_TEXT - 1) + "…"


def largest_template() -> bytes:
    """All blocks, and as many values as may be, in a page of the greatest length."""
    values = [VALUES[number % len(VALUES)] for number in range(20)]
    text = "".join(f"{{{{{name}}}}}" for name in (*BLOCKS, *values))
    return text.ljust(MAX_TEMPLATE, ".").encode()


def test_the_largest_document_fits_into_a_message() -> None:
    """The server refuses longer ones, at the end of a provisioning."""
    long = "'" * 10_000
    disk = replace(DISK, model=long, serial=long)
    record = replace(
        RECORD,
        unit=replace(RECORD.unit, manufacturer=long, product=long, sku=long, serial=long),
        run=replace(RECORD.run, version=long, kernel=long),
        hardware=replace(RECORD.hardware, disks=(("PRIMARY", disk),) * 500, smbios=((long, long),) * 100),
        spec=replace(RECORD.spec, dmi_matches={f"{long}{number}": long for number in range(100)}),
        steps=commands(2000, long),
        files=(FileRecord(path=long, size=1, sha256=HASH, note=long),) * 500,
        credentials=((long, long),) * 100,
        burn_in=replace(BURN_IN, tests=(long,) * 100, checks=(Check(long, long, long),) * 100),
    )
    text = qa_document(record, parse_template("largest", largest_template()))
    assert MAX_DOCUMENT // 2 < len(text) <= MAX_DOCUMENT


def versions() -> Iterator[tuple[bytes, str]]:
    yield b"Linux version 6.1.0 (gprov@gprov) (gcc (Debian) 12.2.0, GNU ld) #42 SMP Thu Jan 1", "Linux 6.1.0 #42"
    yield b"Linux version 6.1.90-x (a@b) #7 SMP PREEMPT", "Linux 6.1.90-x #7"
    yield b"", ""
    yield b"Linux version 6.1 without number", ""


def test_the_kernel_is_named_by_release_and_build() -> None:
    for text, expected in versions():
        assert kernel_text(text) == expected


@given(st.binary())
def test_any_version_text_is_read(data: bytes) -> None:
    assert isinstance(kernel_text(data), str)
