"""Targets: data and replies of ATA and SCSI drives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fuzz.harness import Target, expect
from gprov.adapters.fake.drives.ata_model import AtaModel, configuration_data, identify_data
from gprov.adapters.fake.drives.ata_security import SecurityUnit
from gprov.adapters.fake.drives.direct_access import ScsiIdentity
from gprov.adapters.fake.drives.sense import ata_reply, sense_data
from gprov.adapters.fake.drives.vital_pages import ata_information, vital_page
from gprov.domain.erase.ata.password import password_sector
from gprov.domain.erase.drive_io import DriveReply, NoReply, Protocol, Result, ScsiCommand, ScsiReply, Wait, Waited
from gprov.domain.erase.outcome import TechniqueStatus
from gprov.domain.erase.read_only import reads_only
from gprov.domain.erase.scsi.drive import erase, resume
from gprov.domain.erase.scsi.report import report
from gprov.domain.erase.techniques import Technique
from gprov.domain.errors import GprovError
from gprov.domain.formats.ata.commands import identify_device, sanitize_status
from gprov.domain.formats.ata.dco import parse_dco_sectors
from gprov.domain.formats.ata.identify import parse_identify
from gprov.domain.formats.ata.registers import AtaRegisters
from gprov.domain.formats.ata.sanitize_status import parse_sanitize_status
from gprov.domain.formats.ata.security_data import parse_security_sector, security_sector
from gprov.domain.formats.scsi import inquiry
from gprov.domain.formats.scsi.pass_through import parse_pass_through, pass_through_16
from gprov.domain.formats.scsi.replies import parse_capacity_16, parse_support
from gprov.domain.formats.scsi.sense import parse_sense

_SECTOR = 512
_MOST_REQUESTS = 5000
_TECHNIQUES = tuple(technique for technique in Technique if technique.value.startswith(("ata", "scsi")))


def identify(data: bytes) -> None:
    found = parse_identify(data)
    expect(found.sectors > 0 and found.sector_size >= _SECTOR, "a drive without sectors")
    texts = f"{found.model}{found.serial}{found.firmware}".replace("\t", "")
    expect(texts.isprintable(), "texts that cannot be printed")


def configuration(data: bytes) -> None:
    expect(parse_dco_sectors(data) > 0, "no sectors")


def security_data(data: bytes) -> None:
    parsed = parse_security_sector(data)
    expect(parse_security_sector(security_sector(parsed)) == parsed, "another value when read back")


def sense(data: bytes) -> None:
    found = parse_sense(data)
    expect(found.progress is None or 0 <= found.progress < 1, "progress is no fraction")
    if found.ata is not None:
        parse_sanitize_status(found.ata)


def pages(data: bytes) -> None:
    for parse in _PAGES:
        try:
            parse(data)
        except GprovError:
            continue


def command_block(data: bytes) -> None:
    allowed = reads_only(ScsiCommand(data, _SECTOR))
    passed = parse_pass_through(data)
    expect(not allowed or passed.command.opcode not in range(0xF1, 0xF7), "a security command on the list")
    if data[0] == 0x85 and passed.command.extended:
        again = parse_pass_through(pass_through_16(passed.command))
        expect(again.command == passed.command, "another command when read back")


def replies(data: bytes) -> None:
    """The first byte chooses protocol and technique, the rest is what the drive replies."""
    if not data:
        return
    technique = _TECHNIQUES[data[0] % len(_TECHNIQUES)]
    chosen = data[0] // len(_TECHNIQUES) % 3
    drawn = _replies(data[1:])
    if chosen == 2:
        _run(report(), drawn)
        return
    result = _run(erase(technique) if chosen else resume(technique), drawn)
    expect(result.technique is technique, "the result of another technique")
    expect(result.status is not TechniqueStatus.COMPLETED or len(data) > 1, "completed without any reply")


def _run(protocol: Protocol[Result], drawn: Iterator[DriveReply]) -> Result:
    reply: DriveReply | None = None
    for _ in range(_MOST_REQUESTS):
        try:
            request = next(protocol) if reply is None else protocol.send(reply)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        reply = next(drawn)
        if isinstance(request, Wait) and not isinstance(reply, Waited):
            reply = Waited()
    expect(False, "does not end")
    raise AssertionError


def _replies(data: bytes) -> Iterator[DriveReply]:
    """Kind, lengths of sense and of data, then both; at the end of the bytes the drive is gone."""
    while len(data) >= 3:
        kind, sense_size, size = data[0], data[1] % 64, data[2] * 4
        rest = data[3:]
        if kind == 0xFF:
            yield Waited(True)
        yield ScsiReply(kind & 2, rest[:sense_size], rest[sense_size : sense_size + size])
        data = rest[sense_size + size :]
    while True:
        yield Waited(True)
        yield NoReply("gone")


def _sealed(data: bytes) -> bytes:
    sector = bytearray(data[: _SECTOR - 2].ljust(_SECTOR - 2, b"\0") + b"\xa5\0")
    sector[-1] = -sum(sector) & 0xFF
    return bytes(sector)


def _identify() -> bytes:
    return identify_data(AtaModel(), 2048, SecurityUnit())


def _page_seeds() -> list[bytes]:
    identity = ScsiIdentity(
        vendor="ATA",
        product="Drive",
        revision="1",
        serial="S",
        wwn=1,
        rotation_rate=7200,
        ata_information=ata_information(_identify()),
    )
    found = ((code, vital_page(identity, code)) for code in (0x00, 0x80, 0x83, 0x89, 0xB0, 0xB1, 0xB2))
    return [bytes([0, code, *len(contents).to_bytes(2)]) + contents for code, contents in found if contents is not None]


def _sense_seeds() -> list[bytes]:
    registers = AtaRegisters(status=0x50, count=0x4000, lba=0x8000)
    both = (ata_reply(registers, extended=True, fixed=fixed).sense for fixed in (False, True))
    return [*both, sense_data(2, (4, 0x1B), progress=0.5), sense_data(2, (4, 0x1B), progress=0.5, fixed=False)]


def _reply_seeds() -> list[bytes]:
    registers = ata_reply(AtaRegisters(status=0x50), extended=True).sense
    one_sector = bytes([0, 0, 128]) + _identify()
    short = bytes([2, len(registers), 0]) + registers
    return [bytes([number]) + one_sector + short * 4 + one_sector for number in range(3 * len(_TECHNIQUES))]


_PAGES: tuple[Callable[[bytes], object], ...] = (
    inquiry.parse_inquiry,
    inquiry.parse_supported_pages,
    inquiry.parse_serial_number,
    inquiry.parse_naa,
    inquiry.parse_ata_information,
    inquiry.parse_rotation_rate,
    inquiry.parse_block_limits,
    inquiry.parse_provisioning,
    parse_capacity_16,
    parse_support,
)

TARGETS = (
    Target("ata-identify", "IDENTIFY DEVICE data", identify, lambda: [_identify()]),
    Target("ata-identify-sealed", "the same, checksum right", identify, lambda: [_identify()], fix_checksums=_sealed),
    Target(
        "ata-configuration",
        "DEVICE CONFIGURATION IDENTIFY data",
        configuration,
        lambda: [configuration_data(AtaModel())],
        fix_checksums=_sealed,
    ),
    Target("ata-security-data", "data of security commands", security_data, lambda: [password_sector(enhanced=True)]),
    Target("scsi-sense", "sense data", sense, _sense_seeds),
    Target("scsi-pages", "INQUIRY, capacity, supported commands", pages, _page_seeds),
    Target(
        "ata-pass-through",
        "command blocks",
        command_block,
        lambda: [pass_through_16(command) for command in (identify_device(), sanitize_status())],
    ),
    Target("scsi-replies", "replies to erase techniques", replies, _reply_seeds),
)
