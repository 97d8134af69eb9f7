"""A display in a few lines for tests: bytes in, bytes out. (The simulated display of ``gprov lcd`` is another one.)"""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.formats.lcd.characters import decode
from gprov.domain.formats.lcd.commands import Command
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import FROM_HOST, Kind, Packet, PacketReader
from gprov.domain.formats.lcd.replies import Status, status_reply, version_reply
from gprov.domain.formats.lcd.reports import Button, KeyReport, key_report

START_PICTURE = "Crystalfontz"


@dataclass
class ToyDisplay:
    """``commands``: all commands that were received. ``refused``: codes that are answered with an error."""

    model: Model = Model.CFA_635
    version: bytes = b""
    refused: frozenset[int] = frozenset()
    commands: list[Packet] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = PacketReader(FROM_HOST)
        self.reset()

    def reset(self) -> None:
        """As after power-on: a start picture, and a dim backlight."""
        self.cells = [bytearray(b" " * self.model.columns) for _ in range(self.model.rows)]
        self.cells[0][: len(START_PICTURE)] = START_PICTURE.encode()
        self.cursor, self.style, self.backlight, self.legend = (5, 1), 2, 30, b"\0"
        self.reporting = (0, 0)

    def lines(self) -> list[str]:
        return [decode(bytes(cells)) for cells in self.cells]

    def receive(self, data: bytes) -> bytes:
        return b"".join(self._answer(packet) for packet in self._reader.feed(data))

    def press(self, button: Button, *, pressed: bool) -> bytes:
        """The report, if it is switched on."""
        return key_report(KeyReport(button, pressed)).serialise() if self.reporting[not pressed] else b""

    def _answer(self, packet: Packet) -> bytes:
        self.commands.append(packet)
        if packet.code in self.refused:
            return Packet(Kind.ERROR, packet.code).serialise()
        asked = {
            Command.PING: packet.data,
            Command.VERSION: self.version or version_reply(self.model),
            Command.STATUS: status_reply(Status(*self.reporting, 95, self.backlight)),
        }
        self._execute(packet.code, packet.data)
        return Packet(Kind.RESPONSE, packet.code, asked.get(Command(packet.code), b"")).serialise()

    def _execute(self, code: int, data: bytes) -> None:
        match code:
            case Command.CLEAR:
                self.cells = [bytearray(b" " * self.model.columns) for _ in range(self.model.rows)]
                self.cursor = (0, 0)
            case Command.WRITE_TEXT:
                column, row, text = data[0], data[1], data[2:]
                self.cells[row][column : column + len(text)] = text
                assert len(self.cells[row]) == self.model.columns
            case Command.CURSOR_POSITION:
                self.cursor = (data[0], data[1])
            case Command.CURSOR_STYLE:
                self.style = data[0]
            case Command.BACKLIGHT:
                self.backlight = data[0]
            case Command.KEY_REPORTING:
                self.reporting = (data[0], data[1])
            case Command.KEY_LEGEND:
                self.legend = data
            case _:
                pass
