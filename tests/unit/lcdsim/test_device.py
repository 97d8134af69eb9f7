"""The simulated display as its host sees it: bytes in, bytes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.faults import Fault, LcdFaults
from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.commands import Command, CursorStyle, Legend
from gprov.domain.formats.lcd.models import Keys631, Keys635, Model
from gprov.domain.formats.lcd.packet import Kind, Packet, PacketReader
from gprov.domain.formats.lcd.replies import PolledKeys, parse_polled_keys, parse_status, parse_version
from gprov.domain.formats.lcd.reports import Button, KeyReport, parse_key_report

MODELS = st.sampled_from(list(Model))


class Host:
    """A display and a reader of what it sends."""

    def __init__(self, model: Model, faults: LcdFaults | None = None) -> None:
        self.clock = FakeClock()
        self.lcd = SimulatedLcd(model, self.clock, faults or LcdFaults())
        self._reader = PacketReader()

    def send(self, *packets: Packet) -> list[Packet]:
        self.lcd.receive(b"".join(packet.serialise() for packet in packets))
        return self.read()

    def read(self) -> list[Packet]:
        return self._reader.feed(self.lcd.transmit())

    def ask(self, packet: Packet) -> Packet:
        (answer,) = self.send(packet)
        return answer

    @property
    def lines(self) -> tuple[str, ...]:
        return self.lcd.module.face.lines


def raw(code: int, data: bytes = b"") -> Packet:
    return Packet(Kind.COMMAND, code, data)


@pytest.mark.parametrize("model", list(Model))
def test_answers_of_a_new_display(model: Model) -> None:
    host = Host(model)
    assert host.ask(commands.ping(b"pq")) == Packet(Kind.RESPONSE, Command.PING, b"pq")
    assert parse_version(host.ask(commands.version()))[0] is model
    assert host.ask(commands.read_user_flash()).data == bytes(16)
    status = parse_status(host.ask(commands.read_status()))
    assert (status.presses, status.releases, status.backlight) == (model.all_keys, model.all_keys, 100)
    assert f"CFA-{model.value}" in host.lines[0]


@pytest.mark.parametrize(("model", "rows"), [(Model.CFA_631, 2), (Model.CFA_635, 4)])
def test_text_is_shown_where_it_was_written(model: Model, rows: int) -> None:
    host = Host(model)
    host.send(
        commands.clear(), commands.write_text(model, 3, rows - 1, b"abc"), commands.write_text(model, 19, 0, b"z")
    )
    assert host.lines == (" " * 19 + "z", *[" " * 20] * (rows - 2), "   abc".ljust(20))


@pytest.mark.parametrize(
    "refused",
    [
        raw(Command.WRITE_TEXT, bytes((20, 0)) + b"a"),
        raw(Command.WRITE_TEXT, bytes((0, 2)) + b"a"),
        raw(Command.WRITE_TEXT, bytes((18, 0)) + b"abc"),
        raw(Command.WRITE_TEXT, bytes((1, 0))),
        raw(Command.CURSOR_POSITION, bytes((20, 0))),
        raw(Command.CURSOR_POSITION, bytes((0,))),
        raw(Command.CURSOR_STYLE, bytes((5,))),
        raw(Command.BACKLIGHT, bytes((101,))),
        raw(Command.BACKLIGHT),
        raw(Command.KEY_REPORTING, bytes((63,))),
        raw(Command.REBOOT, bytes((8, 18, 98))),
        raw(Command.KEY_LEGEND, bytes((1, 1, 2, 3))),
        raw(Command.KEY_LEGEND, bytes((1, 1, 2, 3, 10))),
        raw(Command.CLEAR, b"x"),
        raw(Command.PING, bytes(17)),
        raw(63),
    ],
)
def test_what_a_cfa_631_refuses_changes_nothing(refused: Packet) -> None:
    host = Host(Model.CFA_631)
    before = host.lcd.module.face
    assert host.ask(refused) == Packet(Kind.ERROR, refused.code)
    assert host.lcd.module.face == before


def test_the_legend_covers_the_last_columns_of_a_cfa_631_and_keeps_what_is_below() -> None:
    host = Host(Model.CFA_631)
    host.send(commands.clear(), commands.write_text(Model.CFA_631, 0, 0, b"x" * 20))
    host.send(commands.key_legend([Legend.UP, Legend.CHECK, Legend.DOWN, Legend.EXIT]))
    assert host.lines == ("x" * 17 + "▲ ✓", " " * 17 + "▼ ✗")
    host.send(commands.key_legend([]))
    assert host.lines == ("x" * 20, " " * 20)


def test_a_cfa_635_has_no_legend() -> None:
    legend = commands.key_legend([Legend.UP] * 4)
    assert Host(Model.CFA_635).ask(legend) == Packet(Kind.ERROR, Command.KEY_LEGEND)


def test_the_cursor_is_shown_in_a_style_only() -> None:
    host = Host(Model.CFA_635)
    host.send(commands.cursor_position(Model.CFA_635, 7, 3))
    assert host.lcd.module.face.cursor is None
    host.send(commands.cursor_style(CursorStyle.UNDERSCORE))
    assert host.lcd.module.face.cursor == (7, 3)


@pytest.mark.parametrize("model", list(Model))
def test_each_key_is_reported_when_pressed_and_when_released(model: Model) -> None:
    host = Host(model)
    for button in host.lcd.module.keypad.buttons:
        host.lcd.press(button)
        host.lcd.press(button)  # it is down already
        host.lcd.release(button)
        host.lcd.release(button)
        reports = [parse_key_report(packet) for packet in host.read()]
        assert reports == [KeyReport(button, True), KeyReport(button, False)]


def test_keys_that_are_not_reported_can_be_polled() -> None:
    host = Host(Model.CFA_635)
    host.send(commands.key_reporting(0, Keys635.ENTER))
    host.lcd.press(Button.UP)
    host.lcd.press(Button.ENTER)
    host.lcd.release(Button.ENTER)
    assert [parse_key_report(packet) for packet in host.read()] == [KeyReport(Button.ENTER, False)]
    both = Keys635.UP | Keys635.ENTER
    assert parse_polled_keys(host.ask(commands.poll_keys())) == PolledKeys(Keys635.UP, both, Keys635.ENTER)
    assert parse_polled_keys(host.ask(commands.poll_keys())) == PolledKeys(Keys635.UP, 0, 0)


def test_a_key_of_another_model_does_not_exist() -> None:
    with pytest.raises(ValueError, match="UPPER_LEFT"):
        Host(Model.CFA_635).lcd.press(Button.UPPER_LEFT)


def test_reboot_answers_then_starts_again_with_its_splash() -> None:
    host = Host(Model.CFA_631, LcdFaults(start_noise=b"\x9e\xff", start_seconds=0.5))
    splash = host.lines
    host.send(commands.clear(), commands.key_reporting(0, Keys631.UPPER_LEFT), commands.backlight(0))
    assert host.ask(commands.reboot()) == Packet(Kind.RESPONSE, Command.REBOOT)
    assert host.lines == splash
    assert host.send(commands.ping()) == []
    host.clock.advance(0.5)
    assert host.lcd.transmit() == b"\x9e\xff"
    status = parse_status(host.ask(commands.read_status()))
    assert (status.presses, status.backlight) == (0x0F, 100)
    host.lcd.press(Button.LOWER_RIGHT)
    assert parse_key_report(host.read()[0]) == KeyReport(Button.LOWER_RIGHT, True)


def test_a_stored_boot_state_is_the_splash() -> None:
    host = Host(Model.CFA_631)
    host.send(commands.clear(), commands.write_text(Model.CFA_631, 0, 0, b"Acme"), raw(4), commands.clear())
    host.send(commands.reboot())
    assert host.lcd.module.face.text == "Acme\n"


def test_faults_of_answers() -> None:
    schedule = {0: Fault.LOSE, 1: Fault.LOSE_COMMAND, 2: Fault.DOUBLE, 3: Fault.CORRUPT, 4: Fault.LATE}
    host = Host(Model.CFA_631, LcdFaults(answers=schedule, late_seconds=0.4))
    assert host.send(commands.backlight(10)) == []
    assert host.lcd.module.face.backlight == 10
    assert host.send(commands.backlight(20)) == []
    assert host.lcd.module.face.backlight == 10
    assert len(host.send(commands.ping(b"2"))) == 2
    assert host.send(commands.ping(b"3")) == []
    assert host.send(commands.ping(b"4")) == []
    assert host.lcd.next_due() == pytest.approx(0.4)
    host.clock.advance(0.4)
    assert [packet.data for packet in host.read()] == [b"4"]
    assert host.ask(commands.ping(b"5")).data == b"5"


def test_a_lost_report_of_a_key() -> None:
    host = Host(Model.CFA_635, LcdFaults(reports={1: Fault.LOSE}))
    host.lcd.press(Button.DOWN)
    host.lcd.release(Button.DOWN)
    host.lcd.press(Button.DOWN)
    assert [parse_key_report(packet) for packet in host.read()] == [KeyReport(Button.DOWN, True)] * 2


def test_a_mute_display_does_nothing() -> None:
    host = Host(Model.CFA_635, LcdFaults(mute_from=1))
    assert host.ask(commands.ping()).kind is Kind.RESPONSE
    before = host.lines
    assert host.send(commands.clear()) == []
    host.lcd.press(Button.UP)
    assert host.read() == []
    assert host.lines == before


def test_a_display_that_hangs_up_in_the_middle() -> None:
    host = Host(Model.CFA_635, LcdFaults(hang_up_at=1))
    assert host.ask(commands.ping()).kind is Kind.RESPONSE
    assert host.send(commands.clear()) == []
    assert host.lcd.is_hung_up


@given(MODELS, st.lists(st.tuples(st.integers(0, 63), st.binary(max_size=22)), max_size=30))
def test_each_command_has_one_answer_and_leaves_a_valid_display(
    model: Model, sequence: list[tuple[int, bytes]]
) -> None:
    host = Host(model)
    for code, data in sequence:
        answer = host.ask(raw(code, data))
        assert answer.code == code
        assert answer.kind in (Kind.RESPONSE, Kind.ERROR)
        host.clock.advance(1.0)
        face = host.lcd.module.face
        assert [len(line) for line in face.lines] == [20] * model.rows
        assert face.cursor is None or (face.cursor[0] < 20 and face.cursor[1] < model.rows)
        assert 0 <= face.backlight <= 100
        assert parse_status(host.ask(commands.read_status())).presses <= model.all_keys


@given(MODELS, st.lists(st.binary(max_size=40), max_size=10))
def test_after_any_noise_a_command_is_answered(model: Model, noise: list[bytes]) -> None:
    host = Host(model)
    for piece in noise:
        host.lcd.receive(piece)
        host.lcd.transmit()
    host.clock.advance(1.0)  # the end of a pause, and of a restart that the noise may have asked for
    assert host.ask(commands.ping(b"pong")).data == b"pong"


@given(st.binary(max_size=40))
def test_a_command_behind_noise_is_answered_after_a_pause(noise: bytes) -> None:
    host = Host(Model.CFA_635, LcdFaults(start_seconds=0.0))
    host.lcd.receive(noise + commands.ping(b"pong").serialise())
    due = host.lcd.next_due()
    host.clock.advance(due if due is not None else 0.0)
    assert Packet(Kind.RESPONSE, Command.PING, b"pong") in host.read()


@given(MODELS, st.lists(st.integers(1, 30), max_size=8))
def test_answers_do_not_depend_on_how_the_stream_is_cut(model: Model, sizes: list[int]) -> None:
    stream = b"".join(
        packet.serialise() for packet in (commands.ping(b"1"), commands.clear(), commands.version(), raw(50))
    )
    whole = Host(model)
    whole.lcd.receive(stream)
    parts = Host(model)
    rest = stream
    for size in sizes:
        parts.lcd.receive(rest[:size])
        rest = rest[size:]
    parts.lcd.receive(rest)
    assert parts.lcd.transmit() == whole.lcd.transmit()
