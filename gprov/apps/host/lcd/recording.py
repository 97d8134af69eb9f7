"""Recordings of the bytes on the line, and displays that replay them.

One JSON object per line, in the order in which the bytes passed::

    {"seconds": 1.25, "from": "host", "bytes": "0000 0f47"}

``seconds``: since the start of the recording; ``from``: "host" or "display"; ``bytes``: hexadecimal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from typing_extensions import override

from gprov.adapters.fake.lcd.face import LcdFace
from gprov.adapters.fake.lcd.module import LcdModule
from gprov.apps.host.lcd.station import SerialDisplay, Tap
from gprov.domain.errors import BadInput, IntegrityFault, Problem
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import FROM_HOST, PacketReader
from gprov.domain.formats.lcd.reports import Button
from gprov.ports.clock import Clock

_HOST = "host"
_DISPLAY = "display"
_MOST_SECONDS = 1e9
_SHOWN_BYTES = 26  # a packet
_ENDS = {_HOST: _HOST, _DISPLAY: _DISPLAY}


@dataclass(frozen=True, slots=True)
class Passage:
    """Bytes that passed at once. ``is_from_host``: else from the display."""

    seconds: float
    is_from_host: bool
    data: bytes


class Recorder(Tap):
    """Writes passages to a text file, each at once."""

    def __init__(self, file: TextIO, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._started = clock.monotonic()

    @override
    def from_host(self, data: bytes) -> None:
        self._write(_HOST, data)

    @override
    def from_display(self, data: bytes) -> None:
        self._write(_DISPLAY, data)

    def _write(self, end: str, data: bytes) -> None:
        seconds = round(self._clock.monotonic() - self._started, 4)
        self._file.write(json.dumps({"seconds": seconds, "from": end, "bytes": data.hex()}) + "\n")
        self._file.flush()


def read_recording(source: str, text: str) -> tuple[Passage, ...]:
    """Raises BadInput with every problem."""
    problems: list[Problem] = []
    passages = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                passages.append(_passage(line))
            except BadInput as error:
                problems += [Problem(f"line {number}: {each.place}", each.message) for each in error.problems]
    if problems:
        raise BadInput(source, problems)
    return tuple(passages)


def _passage(line: str) -> Passage:
    root = read_object("recording", line.encode())
    seconds = root.number("seconds", required=True, minimum=0, maximum=_MOST_SECONDS)
    end = root.one_of("from", _ENDS, _HOST, required=True)
    try:
        data = bytes.fromhex(root.text("bytes", required=True))
    except ValueError:
        root.problem("bytes", "is not hexadecimal")
        data = b""
    return finish("recording", root, Passage(seconds, end == _HOST, data))


@dataclass(frozen=True, slots=True)
class _Answer:
    """``after``: number of the bytes that the host sent before; ``pause``: seconds since the passage before."""

    after: int
    pause: float
    data: bytes


class ReplayedLcd(SerialDisplay):
    """A display that sends what was recorded, after the same pauses, and compares what the host sends with the
    recording. The picture is that of a simulated display. Keys have no effect: the recording holds their reports.
    ``difference``: None as long as the host sends the same bytes. ``is_done``: all of the recording was replayed."""

    def __init__(self, model: Model, passages: Sequence[Passage], clock: Clock) -> None:
        self.difference: IntegrityFault | None = None
        self._module = LcdModule(model)
        self._reader = PacketReader(FROM_HOST)
        self._clock = clock
        self._expected = b"".join(passage.data for passage in passages if passage.is_from_host)
        self._received = 0
        self._answers = list(_answers(passages))
        self._sent = 0
        self._last = clock.monotonic()

    @property
    def is_done(self) -> bool:
        return self._received == len(self._expected) and self._sent == len(self._answers)

    def require_done(self) -> None:
        """Raises IntegrityFault if the recording was not replayed to its end."""
        missing = len(self._expected) - self._received
        if missing:
            raise IntegrityFault("recording", f"the last {missing} bytes of the host did not come")
        if not self.is_done:
            raise IntegrityFault("recording", "the last bytes of the display were not sent")

    @property
    @override
    def face(self) -> LcdFace:
        return self._module.face

    @property
    @override
    def is_hung_up(self) -> bool:
        return False

    @override
    def receive(self, data: bytes) -> None:
        for command in self._reader.feed(data):
            self._module.execute(command)
        expected = self._expected[self._received : self._received + len(data)]
        if self.difference is None and data != expected:
            self.difference = self._compare(data)
        if self.difference is None:
            self._received += len(data)
            self._last = self._clock.monotonic()

    @override
    def transmit(self) -> bytes:
        sent = b""
        while self.next_due() == 0:
            sent += self._answers[self._sent].data
            self._sent += 1
            self._last = self._clock.monotonic()
        return sent

    @override
    def next_due(self) -> float | None:
        if self.difference is not None or self._sent == len(self._answers):
            return None
        answer = self._answers[self._sent]
        if answer.after > self._received:
            return None
        return max(0.0, self._last + answer.pause - self._clock.monotonic())

    @override
    def press(self, button: Button) -> None:
        """No effect."""

    @override
    def release(self, button: Button) -> None:
        """No effect."""

    def _compare(self, data: bytes) -> IntegrityFault:
        rest = self._expected[self._received :]
        same = next((at for at, byte in enumerate(data) if rest[at : at + 1] != bytes([byte])), len(data))
        came, recorded = data[same:][:_SHOWN_BYTES].hex(" "), rest[same:][:_SHOWN_BYTES].hex(" ") or "nothing"
        reason = f"byte {self._received + same} from the host differs: recorded {recorded}, came {came}"
        return IntegrityFault("recording", reason)


def _answers(passages: Sequence[Passage]) -> Iterator[_Answer]:
    received, last = 0, 0.0
    for passage in passages:
        if passage.is_from_host:
            received += len(passage.data)
        else:
            yield _Answer(received, max(0.0, passage.seconds - last), passage.data)
        last = passage.seconds
