"""Targets: what displays send, and whole conversations with them."""

from __future__ import annotations

from fuzz.harness import Target, expect
from gprov.domain.display.screen import Position
from gprov.domain.formats.lcd.characters import decode, encode
from gprov.domain.formats.lcd.crc import crc
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import FROM_HOST, MAX_DATA, Kind, Packet, PacketReader
from gprov.domain.formats.lcd.replies import (
    Status,
    parse_polled_keys,
    parse_status,
    parse_version,
    status_reply,
    version_reply,
)
from gprov.domain.formats.lcd.reports import Button, KeyReport, key_report
from gprov.domain.lcd.link import RESPONSE_SECONDS, TRIES
from gprov.domain.lcd.picture import Picture
from gprov.domain.lcd.session import REFRESH_SECONDS, Session

_SEPARATOR = b"\xff\xfe\xfd"
_LARGEST_PACKET = MAX_DATA + 4
_PICTURE = Picture((encode("[Resume]"), encode("~Erase~")), Position(1, 1))


def packets(data: bytes) -> None:
    """The same packets are found however the stream is cut, and no more bytes are kept than a packet has."""
    whole, parts = PacketReader(), PacketReader()
    found = whole.feed(data)
    step = 1 + len(data) % 7
    cut = [packet for start in range(0, len(data), step) for packet in parts.feed(data[start : start + step])]
    expect(found == cut, "packets that depend on how the stream is cut")
    taken = sum(len(packet.serialise()) for packet in found)
    expect(len(data) - taken - whole.skipped < _LARGEST_PACKET, "more bytes are kept than a packet has")
    whole.end_pause()
    expect(not whole.is_inside, "bytes are kept after a pause")


def replies(data: bytes) -> None:
    reply = Packet(Kind.RESPONSE, data[0] & 63 if data else 0, data[1 : 1 + MAX_DATA])
    expect(len(decode(data)) == len(data), "a cell without a character")
    parse = (parse_status, parse_polled_keys, parse_version)[reply.code % 3]
    parsed = parse(reply)
    if isinstance(parsed, tuple):
        expect(parsed[1].isprintable(), "a version with unprintable characters")


def conversation(data: bytes) -> None:
    """The parts are what is received after each packet of the host; then nothing is received any more."""
    waiting = data.split(_SEPARATOR)
    session, now, writes = Session(), 0.0, 0
    session.show(_PICTURE)
    end = 2 * REFRESH_SECONDS + (len(waiting) + TRIES) * RESPONSE_SECONDS * TRIES
    while not session.failure:
        sent, _ = session.due(now)
        if sent:
            expect(len(PacketReader(FROM_HOST).feed(sent)) == 1, "several packets, or none, at a time")
            writes += 1
            session.hear(waiting.pop(0) if waiting else b"", now)
        elif not session.failure:
            deadline = session.deadline
            expect(deadline is not None and deadline > now, "the session waits for the past, or for ever")
            now = deadline or end
        expect(now <= end, "the session does not end")
    expect(writes <= 1000 + len(data), "the display is asked without end")


def with_checksums(data: bytes) -> bytes:
    """Correct the CRC of whatever may be a packet."""
    fixed, start = bytearray(data), 0
    while start + 4 <= len(fixed):
        end = start + 2 + fixed[start + 1]
        if fixed[start + 1] <= MAX_DATA and end + 2 <= len(fixed):
            fixed[end : end + 2] = crc(bytes(fixed[start:end])).to_bytes(2, "little")
            start = end + 2
        else:
            start += 1
    return bytes(fixed)


def _streams() -> list[bytes]:
    key = key_report(KeyReport(Button.UP, True)).serialise()
    reply = Packet(Kind.RESPONSE, 1, version_reply(Model.CFA_631)).serialise()
    return [key + reply, b"\x40\x16" + reply[:9] + key + reply]


def _replies() -> list[bytes]:
    return [b"\0" + status_reply(Status(63, 63, 95, 100)), b"\1abc", b"\2" + version_reply(Model.CFA_635)]


def _conversations() -> list[bytes]:
    made = []
    for model in Model:
        start = (b"gprov", version_reply(model), status_reply(Status(1, 1, 95, 30)), b"", b"", b"")
        codes = (0, 1, 30, 6, 14, 23)
        drawing = (32, 31, 31, 11, 12) if model is Model.CFA_631 else (31, 31, 11, 12)
        answers = [Packet(Kind.RESPONSE, code, reply).serialise() for code, reply in zip(codes, start, strict=True)]
        answers += [Packet(Kind.RESPONSE, code).serialise() for code in drawing]
        made.append(_SEPARATOR.join(answers))
    return made


_WORDS = (_SEPARATOR, b"\x40\x16", b"\x80\x01\x01", b"CFA635:", b"CFA631:")

TARGETS = (
    Target("lcd-packets", "packets of displays", packets, _streams, _WORDS),
    Target("lcd-replies", "replies of displays", replies, _replies, _WORDS),
    Target("lcd-session", "conversations with displays", conversation, _conversations, _WORDS, with_checksums),
)
