"""Codecs of ATA and SCSI data."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.drives.ata_model import AtaModel, configuration_data, identify_data
from gprov.adapters.fake.drives.ata_security import SecurityUnit
from gprov.adapters.fake.drives.direct_access import ScsiIdentity
from gprov.adapters.fake.drives.sense import ata_reply, sense_data
from gprov.adapters.fake.drives.vital_pages import ata_information, vital_page
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata import commands
from gprov.domain.formats.ata.commands import AtaCommand, Transfer
from gprov.domain.formats.ata.dco import parse_dco_sectors
from gprov.domain.formats.ata.identify import AfterTrim, parse_identify
from gprov.domain.formats.ata.registers import AtaRegisters
from gprov.domain.formats.ata.sanitize_status import SanitizeError, parse_sanitize_status, sanitize_error
from gprov.domain.formats.ata.security_data import (
    SecurityData,
    SecurityLevel,
    parse_security_sector,
    security_sector,
)
from gprov.domain.formats.scsi import commands as scsi
from gprov.domain.formats.scsi import inquiry
from gprov.domain.formats.scsi.pass_through import parse_pass_through, pass_through_16
from gprov.domain.formats.scsi.replies import Support, parse_capacity_16, parse_support
from gprov.domain.formats.scsi.sense import parse_sense

REGISTERS = st.builds(
    AtaRegisters,
    status=st.integers(1, 255),
    error=st.integers(0, 255),
    count=st.integers(0, 0xFFFF),
    lba=st.integers(0, (1 << 48) - 1),
    device=st.integers(0, 255),
)
PARSERS: list[Callable[[bytes], object]] = [
    parse_identify,
    parse_dco_sectors,
    parse_security_sector,
    parse_sense,
    parse_pass_through,
    parse_capacity_16,
    parse_support,
    inquiry.parse_inquiry,
    inquiry.parse_supported_pages,
    inquiry.parse_serial_number,
    inquiry.parse_naa,
    inquiry.parse_ata_information,
    inquiry.parse_rotation_rate,
    inquiry.parse_block_limits,
    inquiry.parse_provisioning,
]


@given(raw=st.binary(max_size=600) | st.binary(min_size=512, max_size=512))
def test_any_bytes_are_a_value_or_bad_input(raw: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(raw)
        except BadInput:
            continue


@given(
    sectors=st.integers(1, (1 << 48) - 1),
    sector_size=st.sampled_from([512, 4096]),
    wide=st.booleans(),
    frozen=st.booleans(),
    locked=st.booleans(),
    enabled=st.booleans(),
    sanitize=st.frozensets(st.sampled_from([0x11, 0x12, 0x14]), min_size=1),
    trim=st.booleans(),
)
def test_identify_data_of_a_drive(
    sectors: int,
    sector_size: int,
    wide: bool,
    frozen: bool,
    locked: bool,
    enabled: bool,
    sanitize: frozenset[int],
    trim: bool,
) -> None:
    security = SecurityUnit()
    security.frozen, security.locked, security.password = frozen, locked, b"" if enabled else None
    model = AtaModel(
        sectors=sectors,
        sector_size=sector_size,
        wide_addresses=wide,
        sanitize=sanitize,
        trim=trim,
        model="A model, odd",
        serial="S 1",
    )
    found = parse_identify(identify_data(model, sectors, security))
    assert (found.model, found.serial, found.firmware) == ("A model, odd", "S 1", "1.0")
    assert found.sectors == (sectors if wide else min(sectors, 0x0FFFFFFF))
    assert found.sector_size == sector_size
    states = (found.security.frozen, found.security.locked, found.security.enabled)
    assert states == (frozen, locked, enabled)
    assert found.security.supported
    operations = {
        0x11: found.sanitize.crypto_scramble,
        0x12: found.sanitize.block_erase,
        0x14: found.sanitize.overwrite,
    }
    assert {feature for feature, supported in operations.items() if supported} == sanitize
    assert found.after_trim is (AfterTrim.ZEROS if trim else AfterTrim.NOT_SUPPORTED)


def _identify(**words: int) -> bytes:
    """Data of a drive with some words replaced (``w89=…``), and the checksum removed."""
    raw = bytearray(identify_data(AtaModel(), 2048, SecurityUnit()))
    for name, value in {**words, "w255": 0}.items():
        place = 2 * int(name[1:])
        raw[place : place + 2] = value.to_bytes(2, "little")
    return bytes(raw)


@pytest.mark.parametrize(
    ("word", "seconds"), [(0, None), (1, 120.0), (254, 254 * 120.0), (0x8000 | 300, 300 * 120.0), (0x0100, None)]
)
def test_estimates_have_two_formats(word: int, seconds: float | None) -> None:
    assert parse_identify(_identify(w89=word)).security.erase_seconds == seconds
    assert parse_identify(_identify(w90=word)).security.enhanced_erase_seconds == seconds


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ({"w0": 0x8580}, "word 0"),
        ({"w0": 0x848A}, "word 0"),
        ({"w60": 0, "w61": 0, "w100": 0}, "words 60"),
        ({"w106": 0x5000, "w117": 0, "w118": 0}, "word 117"),
    ],
)
def test_data_that_is_no_disks_is_refused(words: dict[str, int], place: str) -> None:
    with pytest.raises(BadInput, match=place):
        parse_identify(_identify(**words))


@given(place=st.integers(0, 511), bit=st.integers(0, 7))
def test_a_changed_bit_is_found_by_the_checksum(place: int, bit: int) -> None:
    raw = bytearray(identify_data(AtaModel(), 2048, SecurityUnit()))
    raw[place] ^= 1 << bit
    if place == 510:  # the signature itself: without it there is no checksum
        return
    with pytest.raises(BadInput):
        parse_identify(bytes(raw))


@pytest.mark.parametrize("byte", [0x00, 0xFF, 0xA5])
def test_one_repeated_byte_is_no_identify_data(byte: int) -> None:
    with pytest.raises(BadInput):
        parse_identify(bytes([byte]) * 512)


def test_the_number_of_sectors_without_an_overlay() -> None:
    assert parse_dco_sectors(configuration_data(AtaModel(sectors=1 << 33))) == 1 << 33


@given(
    password=st.binary(max_size=32), master=st.booleans(), enhanced=st.booleans(), level=st.sampled_from(SecurityLevel)
)
def test_security_data(password: bytes, master: bool, enhanced: bool, level: SecurityLevel) -> None:
    raw = security_sector(SecurityData(password, master, enhanced, level))
    assert len(raw) == 512
    assert parse_security_sector(raw) == SecurityData(password.ljust(32, b"\0"), master, enhanced, level)


def test_the_words_of_security_data_are_those_of_the_standard() -> None:
    raw = security_sector(SecurityData(b"ab", enhanced=True, level=SecurityLevel.MAXIMUM))
    assert raw[:4] == bytes([0x02, 0x01]) + b"ab"
    with pytest.raises(BadInput):
        security_sector(SecurityData(bytes(33)))


def test_a_password_does_not_appear_in_texts() -> None:
    data = SecurityData(b"topsecret")
    assert "topsecret" not in repr(data)
    assert "topsecret" not in repr(commands.security_unlock(security_sector(data)))


@given(registers=REGISTERS)
def test_registers_in_descriptor_format(registers: AtaRegisters) -> None:
    assert parse_sense(ata_reply(registers, extended=True).sense).ata == registers


@given(registers=REGISTERS)
def test_registers_of_a_28_bit_command_have_low_bytes_only(registers: AtaRegisters) -> None:
    for fixed in (False, True):
        found = parse_sense(ata_reply(registers, extended=False, fixed=fixed).sense).ata
        assert found is not None
        assert found.complete
        assert (found.count, found.lba) == (registers.count & 0xFF, registers.lba & 0xFFFFFF)
        assert (found.status, found.error, found.device) == (registers.status, registers.error, registers.device)


@given(registers=REGISTERS)
def test_registers_of_a_48_bit_command_in_fixed_format_are_incomplete(registers: AtaRegisters) -> None:
    found = parse_sense(ata_reply(registers, extended=True, fixed=True).sense).ata
    assert found is not None
    assert not found.complete
    with pytest.raises(BadInput):
        parse_sanitize_status(found)


def test_registers_that_a_layer_in_between_dropped_are_none() -> None:
    """As QEMU (scsi-block) converts the descriptor of any ATA command to fixed format."""
    raw = bytes.fromhex("700001000000000a00000000001d00000000")
    found = parse_sense(raw)
    assert (found.key, found.code, found.ata) == (1, (0x00, 0x1D), None)
    assert parse_sense(ata_reply(AtaRegisters(status=0), extended=True).sense).ata is None


def test_registers_of_an_aborted_command_in_fixed_format_need_no_code_of_their_own() -> None:
    raw = bytearray(ata_reply(AtaRegisters(status=0x51, error=4, lba=1), extended=True, fixed=True).sense)
    raw[12:14] = bytes(2)
    found = parse_sense(bytes(raw)).ata
    assert found is not None
    assert found.aborted
    assert sanitize_error(found) is SanitizeError.UNSUCCESSFUL
    assert parse_sense(sense_data(0xB, (0, 0))).ata is None


@given(
    key=st.integers(0, 15),
    code=st.tuples(st.integers(0, 255), st.integers(0, 255)).filter(lambda code: code != (0, 0x1D)),
    progress=st.none() | st.floats(0, 0.999),
    fixed=st.booleans(),
)
def test_sense_data(key: int, code: tuple[int, int], progress: float | None, fixed: bool) -> None:
    found = parse_sense(sense_data(key, code, progress=progress, fixed=fixed))
    assert (found.key, found.code, found.deferred) == (key, code, False)
    assert found.progress == (None if progress is None else int(progress * 0x10000) / 0x10000)


@given(raw=st.binary(min_size=8, max_size=40), cut=st.integers(0, 40))
def test_cut_off_sense_data_raise_bad_input_only(raw: bytes, cut: int) -> None:
    for head in (0x70, 0x71, 0x72, 0x73):
        try:
            parse_sense((bytes([head]) + raw)[:cut])
        except BadInput:
            continue


def test_deferred_errors_are_marked() -> None:
    assert parse_sense(bytes([0x71]) + sense_data(3, (0x31, 3))[1:]).deferred
    assert parse_sense(bytes([0x73]) + sense_data(3, (0x31, 3), fixed=False)[1:]).deferred


COMMANDS = st.builds(
    AtaCommand,
    opcode=st.integers(0, 255),
    transfer=st.sampled_from(Transfer),
    feature=st.integers(0, 0xFFFF),
    count=st.integers(0, 0xFFFF),
    lba=st.integers(0, (1 << 48) - 1),
    device=st.integers(0, 255),
    extended=st.just(True),
)


@given(command=COMMANDS)
def test_a_pass_through_command_is_read_back(command: AtaCommand) -> None:
    found = parse_pass_through(pass_through_16(command))
    assert found.command.sectors_in == (command.count if command.transfer is Transfer.PIO_IN else 0)
    fields = ("opcode", "transfer", "feature", "count", "lba", "device", "extended")
    assert all(getattr(found.command, name) == getattr(command, name) for name in fields)
    assert found.check_condition == (command.transfer is Transfer.NON_DATA)


@pytest.mark.parametrize(
    ("command", "cdb"),
    [
        (commands.identify_device(), "85 08 0e 0000 0001 000000000000 00 ec 00"),
        (commands.sanitize_status(), "85 07 20 0000 0000 000000000000 00 b4 00"),
        (commands.sanitize_crypto_scramble(), "85 07 20 0011 0010 43 70 00 79 00 72 40 b4 00"),
        (commands.sanitize_block_erase(), "85 07 20 0012 0010 42 72 00 45 00 6b 40 b4 00"),
        (commands.sanitize_overwrite(0x11223344), "85 07 20 0014 0011 11 44 57 33 4f 22 40 b4 00"),
        (commands.sanitize_antifreeze_lock(), "85 07 20 0040 0000 41 69 00 74 00 6e 40 b4 00"),
        (commands.security_erase_prepare(), "85 06 20 0000 0000 000000000000 00 f3 00"),
        (commands.security_erase_unit(bytes(512)), "85 0a 06 0000 0001 000000000000 00 f4 00"),
        (commands.read_native_max_address(extended=True), "85 07 20 0000 0000 000000000000 40 27 00"),
    ],
)
def test_the_bytes_of_pass_through_commands_are_those_of_the_standard(command: AtaCommand, cdb: str) -> None:
    assert pass_through_16(command) == bytes.fromhex(cdb.replace(" ", ""))


def test_the_bytes_of_scsi_commands_are_those_of_the_standard() -> None:
    assert scsi.sanitize(scsi.SanitizeAction.OVERWRITE, 5).hex() == "48a1" + "0000000000" + "0005" + "00"
    assert scsi.sanitize(scsi.SanitizeAction.CRYPTOGRAPHIC_ERASE).hex() == "48a3" + "00" * 8
    assert scsi.overwrite_parameters(0xAA).hex() == "01000001aa"
    assert scsi.request_sense().hex() == "03010000fc00"
    assert scsi.inquiry(572, 0x89).hex() == "120189023c00"
    assert scsi.report_supported_operation_code(0x48, 2, 20).hex() == "a30c02480002000000140000"
    assert scsi.read_capacity_16().hex() == "9e10" + "00" * 8 + "00000020" + "0000"


@given(count=st.integers(0, 0xFFFF), lba=st.integers(0, 0xFFFF))
def test_sanitize_status(count: int, lba: int) -> None:
    found = parse_sanitize_status(AtaRegisters(status=0x50, count=count, lba=lba))
    bits = (found.completed, found.in_progress, found.frozen, found.antifreeze)
    assert bits == tuple(bool(count >> bit & 1) for bit in (15, 14, 13, 12))
    assert found.progress == (lba / 0x10000 if found.in_progress else 0.0)
    with pytest.raises(BadInput):
        parse_sanitize_status(AtaRegisters(status=0x51, error=4, count=count, lba=lba))
    assert sanitize_error(AtaRegisters(status=0x51, error=4, lba=lba)).describe()


IDENTITY = ScsiIdentity(
    vendor="V",
    product="P",
    revision="R",
    serial="S",
    wwn=0x5000C50000000001,
    rotation_rate=7200,
    ata_information=ata_information(identify_data(AtaModel(), 2048, SecurityUnit())),
)


def _page(code: int) -> bytes:
    contents = vital_page(IDENTITY, code)
    assert contents is not None
    return bytes([0, code, *len(contents).to_bytes(2)]) + contents


def test_pages_of_vital_product_data() -> None:
    assert inquiry.parse_supported_pages(_page(0x00)) == {0x00, 0x80, 0x83, 0x89, 0xB0, 0xB1, 0xB2}
    assert inquiry.parse_serial_number(_page(0x80)) == "S"
    assert inquiry.parse_naa(_page(0x83)) == "5000c50000000001"
    assert inquiry.parse_rotation_rate(_page(0xB1)) == 7200
    assert inquiry.parse_block_limits(_page(0xB0)).unmap_blocks == 0
    assert not inquiry.parse_provisioning(_page(0xB2)).unmap
    information = inquiry.parse_ata_information(_page(0x89))
    assert parse_identify(information.identify).sectors == 2048
    assert len(_page(0x89)) == 572


@pytest.mark.parametrize("code", [0x80, 0x83, 0x89, 0xB0, 0xB1, 0xB2])
def test_a_cut_off_page_is_refused(code: int) -> None:
    with pytest.raises(BadInput):
        inquiry.page_contents(_page(code)[:-1], code)
    with pytest.raises(BadInput):
        inquiry.page_contents(_page(code), code ^ 1)


def test_capacity_and_support() -> None:
    assert parse_capacity_16((2047).to_bytes(8) + (512).to_bytes(4) + bytes(20)).size == 1 << 20
    assert parse_support(bytes([0, 0x83, 0, 10])) is Support.SUPPORTED
    assert parse_support(bytes([0, 1])) is Support.NOT_SUPPORTED
    assert parse_support(bytes([0, 6])) is Support.UNKNOWN
