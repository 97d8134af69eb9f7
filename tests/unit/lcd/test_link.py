"""Link and session with a display: any peer, virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.display.screen import Position
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.characters import encode
from gprov.domain.formats.lcd.commands import Command, Legend
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import FROM_HOST, Kind, Packet, PacketReader
from gprov.domain.formats.lcd.reports import Button, KeyReport
from gprov.domain.lcd.link import GAP_SECONDS, RESPONSE_SECONDS, TRIES, Answer, Link
from gprov.domain.lcd.picture import Picture
from gprov.domain.lcd.session import REFRESH_SECONDS, Session
from tests.unit.lcd.toy_display import START_PICTURE, ToyDisplay

Peer = Callable[[bytes], bytes]
LATENCY = 0.003
MENU_ROWS = ("Resume normal boot  ", "> Power off         ", " " * 20, "  [Erase]           ")
MENU = Picture(tuple(map(encode, MENU_ROWS)), Position(0, 1))


def of_631(*lines: str) -> Picture:
    return Picture(tuple(encode(line) for line in lines))


@dataclass
class Run:
    """Runs a session with a peer in virtual time. ``writes``: time and bytes of everything that was written."""

    session: Session
    peer: Peer
    now: float = 0.0
    writes: list[tuple[float, bytes]] = field(default_factory=list)
    keys: list[KeyReport] = field(default_factory=list)

    def until(self, done: Callable[[], bool], seconds: float = 60.0) -> bool:
        """False: not within that time."""
        end = self.now + seconds
        while not done():
            data, keys = self.session.due(self.now)
            self.keys += keys
            if data:
                self.writes.append((self.now, data))
                if reply := self.peer(data):
                    self.now += LATENCY
                    self.keys += self.session.hear(reply, self.now)
                continue
            deadline = self.session.deadline
            if done():
                break
            if deadline is None or deadline > end:
                self.now = end
                return False
            assert deadline > self.now, "the session waits for the past"
            self.now = deadline
        return True

    def start(self) -> Run:
        assert self.until(lambda: self.session.is_ready)
        return self

    def draw(self, picture: Picture) -> Run:
        self.session.show(picture)
        assert self.until(lambda: self.session.is_drawn)
        return self


def talk(display: ToyDisplay) -> Run:
    return Run(Session(), display.receive)


def written(run: Run, since: int = 0) -> list[Packet]:
    return PacketReader(FROM_HOST).feed(b"".join(data for _, data in run.writes[since:]))


def test_the_start_asks_the_model_and_removes_the_start_picture() -> None:
    for model in Model:
        display = ToyDisplay(model)
        run = talk(display).start()
        assert run.session.model is model
        assert run.session.description == f"CFA{model.value}:h1.0,k1.0"
        assert "".join(display.lines()).strip() == ""
        assert display.backlight == 100
        assert display.reporting == (model.all_keys, model.all_keys)
        assert [packet.code for packet in display.commands] == [0, 1, 30, 6, 14, 23]
        assert run.now < 0.2


def test_pictures_are_drawn_with_the_cells_that_changed() -> None:
    display = ToyDisplay()
    run = talk(display).start().draw(MENU)
    assert display.lines() == list(MENU_ROWS)
    assert (display.cursor, display.style) == ((0, 1), 1)
    before = len(display.commands)
    rows = ("Resume normal boot  ", "> Power on.         ", " " * 20, "  [Erase]           ")
    run.draw(Picture(tuple(map(encode, rows)), Position(0, 1)))
    assert display.commands[before:] == [commands.write_text(Model.CFA_635, 9, 1, b"n.")]
    run.draw(Picture(tuple(map(encode, rows))))
    assert display.commands[before + 1 :] == [commands.cursor_style(commands.CursorStyle.NONE)]


CELLS = st.lists(st.text(st.sampled_from("ab [~"), min_size=20, max_size=20), min_size=2, max_size=2)
LEGENDS = st.sampled_from([(), (Legend.UP, Legend.CHECK, Legend.DOWN, Legend.EXIT)])


@given(st.lists(st.tuples(CELLS, LEGENDS, st.none() | st.integers(0, 16)), min_size=1, max_size=6))
def test_any_sequence_of_pictures_ends_with_the_last_one_on_the_display(
    pictures: list[tuple[list[str], tuple[Legend, ...], int | None]],
) -> None:
    display = ToyDisplay(Model.CFA_631)
    run = talk(display).start()
    for lines, legend, column in pictures:
        width = 17 if legend else 20
        cursor = None if column is None else Position(column, 1)
        run.draw(Picture(tuple(encode(line[:width]) for line in lines), cursor, legend))
        # The legend covers cells, and what is below them is lost.
        if legend:
            for cells in display.cells:
                cells[17:] = b"???"
        assert [line[:width] for line in display.lines()] == [line[:width] for line in lines]
        assert display.legend == (bytes((1, *legend)) if legend else b"\0")
        assert display.style == (column is not None)
        assert column is None or display.cursor == (column, 1)


def test_packets_keep_their_distance_and_no_command_is_given_before_the_answer() -> None:
    display = ToyDisplay()
    run = talk(display).start().draw(MENU)
    for (first, _), (second, data) in zip(run.writes, run.writes[1:], strict=False):
        assert second - first >= GAP_SECONDS
        assert len(PacketReader(FROM_HOST).feed(data)) == 1


def test_a_mute_display_is_lost_after_its_tries() -> None:
    run = Run(Session(), lambda data: b"")
    assert run.until(lambda: bool(run.session.failure))
    assert run.session.failure == "does not answer (6 tries)"
    assert run.now == pytest.approx(TRIES * RESPONSE_SECONDS)
    assert [data for _, data in run.writes] == [commands.ping(b"gprov").serialise()] * TRIES
    assert run.session.deadline is None
    assert run.session.due(run.now + 1) == (b"", [])
    assert run.session.is_finished


def test_each_packet_may_be_lost_but_the_last_try() -> None:
    display = ToyDisplay()
    count = 0

    def peer(data: bytes) -> bytes:
        nonlocal count
        count += 1
        return display.receive(data) if count % TRIES == 0 else b""

    run = Run(Session(), peer).start().draw(MENU)
    assert display.lines()[1] == "> Power off         "
    assert not run.session.failure


def test_a_late_response_is_not_taken_for_that_of_the_next_command() -> None:
    """Both tries of a text are answered; the second answer must not confirm the next text, which is lost."""
    link = Link()
    one, two = commands.write_text(Model.CFA_635, 0, 0, b"a"), commands.write_text(Model.CFA_635, 0, 1, b"b")
    response = Packet(Kind.RESPONSE, Command.WRITE_TEXT)
    link.give(one)
    assert link.due(0.0) == one.serialise()
    assert link.due(RESPONSE_SECONDS) == one.serialise()
    assert link.hear(response.serialise(), 0.31).answer == Answer(one, response)
    link.give(two)
    assert link.due(0.35) == b""
    assert link.hear(response.serialise(), 0.4).answer is None
    assert link.due(0.31 + RESPONSE_SECONDS) == two.serialise()
    assert not link.is_idle


@pytest.mark.parametrize(
    "wrong",
    [
        Packet(Kind.RESPONSE, Command.PING, b"other"),
        Packet(Kind.RESPONSE, Command.CLEAR),
        Packet(Kind.REPORT, Command.PING, b"gprov"),
        Packet(Kind.COMMAND, Command.PING, b"gprov"),
    ],
)
def test_wrong_responses_answer_nothing(wrong: Packet) -> None:
    link = Link()
    link.give(commands.ping(b"gprov"))
    link.due(0.0)
    assert link.hear(wrong.serialise(), 0.1).answer is None
    assert not link.is_idle


def test_keys_are_read_between_responses_and_behind_noise() -> None:
    display = ToyDisplay()
    run = talk(display).start()
    up, down = (display.press(Button.UP, pressed=pressed) for pressed in (True, False))
    # Noise that hides what follows it until a pause.
    plain = run.peer
    run.peer = lambda data: up + plain(data) + b"\x40\x16" + down
    run.session.show(MENU)
    assert run.until(lambda: len(run.keys) > 1, 0.5)
    assert run.keys[:2] == [KeyReport(Button.UP, True), KeyReport(Button.UP, False)]


def test_a_display_that_reset_itself_is_set_up_again() -> None:
    display = ToyDisplay(Model.CFA_631)
    run = talk(display).start().draw(of_631("Restoring" + " " * 11, "45 %" + " " * 16))
    display.reset()
    assert display.lines()[0].startswith(START_PICTURE)
    run.until(lambda: False, REFRESH_SECONDS + 1)
    assert display.lines() == ["Restoring" + " " * 11, "45 %" + " " * 16]
    assert (display.style, display.backlight, display.legend) == (0, 100, b"\0")
    assert display.reporting == (15, 15)


def test_the_end_draws_the_last_picture_and_restores_the_settings() -> None:
    display = ToyDisplay()
    run = talk(display)
    display.reporting = (1, 2)
    run.start()
    run.session.show(MENU)
    run.session.finish()
    before = run.now
    assert run.until(lambda: run.session.is_finished)
    assert display.lines()[3] == "  [Erase]           "
    assert (display.backlight, display.reporting) == (30, (1, 2))
    assert run.now - before < 0.3


@pytest.mark.parametrize("version", [b"CFA633:h1.5,k1.7", b"", b"\xff\x00"])
def test_other_displays_are_refused(version: bytes) -> None:
    run = talk(ToyDisplay(version=version or b"?"))
    assert run.until(lambda: bool(run.session.failure), 1)
    assert "is neither a CFA-631 nor a CFA-635" in run.session.failure
    assert {packet.code for packet in written(run)} == {0, 1}


def test_a_display_that_refuses_commands_is_used_without_them() -> None:
    display = ToyDisplay(Model.CFA_631, refused=frozenset({Command.STATUS, Command.KEY_LEGEND, Command.BACKLIGHT}))
    run = talk(display).start().draw(of_631("a" * 20, "b" * 20))
    assert display.lines() == ["a" * 20, "b" * 20]
    run.session.finish()
    assert run.until(lambda: run.session.is_finished, 1)


@dataclass
class HostilePeer:
    """Answers each packet with the next of its replies."""

    replies: list[bytes | None]
    display: ToyDisplay = field(default_factory=ToyDisplay)

    def __call__(self, data: bytes) -> bytes:
        honest = self.display.receive(data)
        reply = self.replies.pop(0) if self.replies else b""
        return honest if reply is None else reply


NOISE = st.one_of(
    st.none(),  # as a display would
    st.just(b""),
    st.binary(max_size=60),
    st.builds(
        lambda packets: b"".join(packet.serialise() for packet in packets),
        st.lists(st.builds(Packet, st.sampled_from(Kind), st.integers(0, 35), st.binary(max_size=22)), max_size=4),
    ),
)


@given(st.lists(NOISE, max_size=60), st.booleans())
def test_with_any_peer_one_command_is_outstanding_and_the_session_ends(replies: list[bytes | None], ends: bool) -> None:
    """The peer falls silent at last, so that the session is lost within the tries after its last answer. At no time
    are packets closer than allowed, and a deadline is never farther than a refresh."""
    session = Session()
    session.show(MENU)
    run = Run(session, HostilePeer(replies))
    if ends:
        run.until(lambda: session.is_ready, 5)
        session.finish()
    bound = (len(replies) + TRIES) * (RESPONSE_SECONDS + LATENCY) + 2 * REFRESH_SECONDS + TRIES * RESPONSE_SECONDS
    assert run.until(lambda: session.is_finished, bound + 60 * REFRESH_SECONDS)
    tries: Iterable[tuple[float, bytes]] = run.writes
    last: tuple[float, bytes] | None = None
    for now, data in tries:
        assert len(PacketReader(FROM_HOST).feed(data)) == 1
        assert last is None or now - last[0] >= GAP_SECONDS - 1e-9
        last = (now, data)
