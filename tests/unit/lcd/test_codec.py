"""Packets of displays: CRC, resynchronisation, commands, replies, key reports, characters."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.characters import UNKNOWN, decode, encode
from gprov.domain.formats.lcd.commands import Command, CursorStyle, Legend
from gprov.domain.formats.lcd.crc import crc
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import FROM_DISPLAY, FROM_HOST, MAX_DATA, Kind, Packet, PacketReader
from gprov.domain.formats.lcd.replies import (
    PolledKeys,
    Status,
    parse_polled_keys,
    parse_status,
    parse_version,
    polled_keys_reply,
    status_reply,
    version_reply,
)
from gprov.domain.formats.lcd.reports import (
    BUTTONS_631,
    BUTTONS_635,
    Button,
    KeyReport,
    key_report,
    parse_key_report,
)

KINDS = st.sampled_from(sorted(FROM_DISPLAY))
PACKETS = st.builds(Packet, KINDS, st.integers(0, 63), st.binary(max_size=MAX_DATA))


def reflected(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = [0, *sorted(place % (len(data) + 1) for place in at), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def read(*chunks: bytes) -> list[Packet]:
    reader = PacketReader()
    return [packet for chunk in chunks for packet in reader.feed(chunk)]


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        # data sheets: a key report, a ping
        ("800105", "5584"),
        ("0002ffff", "deb9"),
        # ITU-T X.25, Appendix I
        ("033f", "5bec"),
        ("0173", "8357"),
        ("013f", "ebdf"),
        ("0373", "3364"),
    ],
)
def test_published_crcs(data: str, sent: str) -> None:
    assert crc(bytes.fromhex(data)).to_bytes(2, "little").hex() == sent


@given(st.binary(max_size=40))
def test_the_crc_is_that_of_the_standard_library_in_reflected_form(data: bytes) -> None:
    other = binascii.crc_hqx(bytes(reflected(byte, 8) for byte in data), 0xFFFF)
    assert crc(data) == reflected(other, 16) ^ 0xFFFF


def test_a_packet_has_kind_code_length_data_and_crc() -> None:
    assert Packet(Kind.REPORT, 0, b"\x05").serialise() == bytes.fromhex("8001055584")
    assert commands.ping(b"\xff\xff").serialise() == bytes.fromhex("0002ffffdeb9")


@pytest.mark.parametrize(("code", "size"), [(64, 0), (-1, 0), (0, MAX_DATA + 1)])
def test_what_no_packet_can_hold_is_refused(code: int, size: int) -> None:
    with pytest.raises(BadInput):
        Packet(Kind.RESPONSE, code, bytes(size))


@given(st.lists(PACKETS), st.lists(st.integers(0, 1 << 16)))
def test_packets_are_read_however_the_stream_is_cut(packets: list[Packet], cuts: list[int]) -> None:
    reader = PacketReader()
    stream = b"".join(packet.serialise() for packet in packets)
    assert [packet for chunk in cut(stream, cuts) for packet in reader.feed(chunk)] == packets
    assert not reader.is_inside
    assert reader.skipped == 0


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_any_bytes_give_the_same_packets_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    whole, parts = PacketReader(), PacketReader()
    assert whole.feed(data) == [packet for chunk in cut(data, cuts) for packet in parts.feed(chunk)]
    assert whole.end_pause() == parts.end_pause()
    assert whole.skipped == parts.skipped


@given(st.lists(st.tuples(st.integers(0, 1), PACKETS)), st.data())
def test_lost_doubled_and_half_packets_leave_the_others(items: list[tuple[int, Packet]], data: st.DataObject) -> None:
    """Each damaged packet is followed by a pause, as it is after the loss of bytes, so that all others are read."""
    reader = PacketReader()
    read, expected = [], []
    for damaged, packet in items:
        raw = packet.serialise()
        if damaged:
            raw = data.draw(st.sampled_from((b"", raw[: len(raw) // 2], raw[:-1] + bytes([raw[-1] ^ 0x10]))))
            read += [found for found in (*reader.feed(raw), *reader.end_pause()) if found == packet]
        else:
            expected += [packet, packet]
            read += [found for found in reader.feed(raw + raw) if found == packet]
    assert read == expected


def test_packets_behind_noise_and_half_packets_are_found() -> None:
    one, two = commands.ping(b"a"), Packet(Kind.RESPONSE, Command.PING, b"two")
    key = key_report(KeyReport(Button.UP, True))
    # A command of the host, which an adapter that echoes sends back, is noise.
    assert read(one.serialise() + two.serialise() + b"\x01\x02\x13" + key.serialise()) == [two, key]
    assert read(b"\x00\x7f", two.serialise()[:4], two.serialise(), key.serialise(), bytes(30)) == [two, key]


def test_a_pause_ends_what_looks_like_a_long_packet() -> None:
    """Noise that reads as the head of a packet hides the next one only until a pause."""
    reader = PacketReader()
    two = Packet(Kind.RESPONSE, Command.PING, b"two")
    assert reader.feed(b"\x40\x16" + two.serialise()) == []
    assert reader.is_inside
    assert reader.end_pause() == [two]
    assert reader.skipped == 2


def test_noise_does_not_pile_up() -> None:
    reader = PacketReader()
    for _ in range(100):
        reader.feed(b"\x40\x16" * 100)
    assert reader.skipped > 100 * 200 - (MAX_DATA + 4)


def test_the_other_side_reads_commands_only() -> None:
    reader = PacketReader(FROM_HOST)
    stream = Packet(Kind.RESPONSE, 1).serialise() + commands.version().serialise()
    assert reader.feed(stream) == [commands.version()]


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (commands.ping(b"x"), "000178"),
        (commands.version(), "0100"),
        (commands.read_user_flash(), "0300"),
        (commands.reboot(), "0503081263"),
        (commands.clear(), "0600"),
        (commands.cursor_position(Model.CFA_635, 19, 3), "0b021303"),
        (commands.cursor_style(CursorStyle.BLINKING_BLOCK), "0c0101"),
        (commands.backlight(100), "0e0164"),
        (commands.key_reporting(0x3F, 0x0F), "17023f0f"),
        (commands.poll_keys(), "1800"),
        (commands.read_status(), "1e00"),
        (commands.write_text(Model.CFA_631, 17, 1, b"abc"), "1f051101616263"),
        # as the earlier system's packets for up, enter, down, exit
        (commands.key_legend((Legend.UP, Legend.CHECK, Legend.DOWN, Legend.EXIT)), "20050103020401"),
        (commands.key_legend(()), "200100"),
    ],
)
def test_bytes_of_commands(packet: Packet, expected: str) -> None:
    assert packet.serialise()[:-2].hex() == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda: commands.ping(bytes(17)),
        lambda: commands.cursor_position(Model.CFA_631, 0, 2),
        lambda: commands.cursor_position(Model.CFA_631, 20, 0),
        lambda: commands.backlight(101),
        lambda: commands.key_reporting(256, 0),
        lambda: commands.write_text(Model.CFA_635, 18, 0, b"abc"),
        lambda: commands.write_text(Model.CFA_635, 0, 4, b"a"),
        lambda: commands.write_text(Model.CFA_635, 0, 0, b""),
        lambda: commands.key_legend((Legend.UP,)),
    ],
)
def test_commands_that_a_display_would_refuse(make: Callable[[], Packet]) -> None:
    with pytest.raises(BadInput, match="command for a display"):
        make()


@pytest.mark.parametrize(
    ("text", "model"),
    [
        (b"CFA631:h1.0,v1.1", Model.CFA_631),
        (b"CFA635:h1.4,k1.7", Model.CFA_635),
        (b"XES635BK:h1,k1.7", Model.CFA_635),
        (b"CFA-635:h1.4\0\0", Model.CFA_635),
        (version_reply(Model.CFA_631), Model.CFA_631),
    ],
)
def test_versions_lead_to_models(text: bytes, model: Model) -> None:
    found, shown = parse_version(Packet(Kind.RESPONSE, Command.VERSION, text))
    assert found is model
    assert shown.isprintable()


@pytest.mark.parametrize("text", [b"", b"CFA633:h1.5,k1.7", b"CFA6350", b"\0\xff\x1b[2J", b"a\tb", b"631"])
def test_other_displays_are_refused(text: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        parse_version(Packet(Kind.RESPONSE, Command.VERSION, text))
    assert str(refused.value).isprintable()


BYTES = st.integers(0, 255)


@given(st.builds(Status, BYTES, BYTES, BYTES, BYTES), st.builds(PolledKeys, BYTES, BYTES, BYTES))
def test_replies_are_read_as_written(status: Status, keys: PolledKeys) -> None:
    assert parse_status(Packet(Kind.RESPONSE, Command.STATUS, status_reply(status))) == status
    assert parse_polled_keys(Packet(Kind.RESPONSE, Command.POLL_KEYS, polled_keys_reply(keys))) == keys


@given(st.binary(max_size=MAX_DATA))
def test_replies_of_other_lengths_are_refused(data: bytes) -> None:
    for parse, size in ((parse_status, 15), (parse_polled_keys, 3)):
        if len(data) != size:
            with pytest.raises(BadInput, match=f"{len(data)} bytes instead of {size}"):
                parse(Packet(Kind.RESPONSE, 1, data))


def test_numbers_of_key_reports() -> None:
    """Of a CFA-635: 1 to 6 up, down, left, right, enter, exit, then releases; of a CFA-631: 13 to 16, then releases."""
    numbers = {number: parse_key_report(Packet(Kind.REPORT, 0, bytes([number]))) for number in range(256)}
    expected = {}
    for first, buttons in ((1, BUTTONS_635), (13, BUTTONS_631)):
        for index, button in enumerate(buttons):
            expected[first + index] = KeyReport(button, True)
            expected[first + len(buttons) + index] = KeyReport(button, False)
    assert {number: report for number, report in numbers.items() if report} == expected
    assert [button.name for button in BUTTONS_635] == ["UP", "DOWN", "LEFT", "RIGHT", "ENTER", "EXIT"]
    assert [button.name for button in BUTTONS_631] == ["UPPER_LEFT", "UPPER_RIGHT", "LOWER_LEFT", "LOWER_RIGHT"]
    assert all(parse_key_report(key_report(report)) == report for report in expected.values())


@pytest.mark.parametrize(
    "packet", [Packet(Kind.REPORT, 1, b"\1"), Packet(Kind.RESPONSE, 0, b"\1"), Packet(Kind.REPORT, 0, b"\1\1")]
)
def test_other_packets_are_no_key_reports(packet: Packet) -> None:
    assert parse_key_report(packet) is None


def test_characters_show_as_themselves() -> None:
    """Each printable ASCII character but the backquote is in the ROM; ASCII codes of the others show letters."""
    printable = "".join(map(chr, range(0x20, 0x7F)))
    assert decode(encode(printable)) == printable.replace("`", "'")
    moved = {character for character in printable if encode(character) != character.encode()}
    assert moved == set("$@[\\]^_`{|}~")
    assert decode(b"[\\]^_`{|}~$@") == "ÄÖÑÜ§¿äöñü¤¡"
    assert encode("[x]{|}~_^@$\\").hex() == "fa78fc" + "fdfeff" + "ce" + "c4" + "1d" + "a0" + "a2" + "fb"


def test_characters_that_are_not_ascii() -> None:
    assert encode("a\nü€") == b"a???"
    assert decode(b"\x00\x8a") == UNKNOWN * 2
