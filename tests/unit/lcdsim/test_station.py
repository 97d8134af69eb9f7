"""Waiting for texts, keys, scripts, recordings: on a line in memory, with a simulated clock."""

from __future__ import annotations

import io

import pytest

from gprov.adapters.fake.lcd.faults import LcdFaults
from gprov.apps.host.lcd.keyscript import Pause, Press, Wait, parse_script, run_script
from gprov.apps.host.lcd.plain import Screen, SettledScreens, face_lines
from gprov.apps.host.lcd.recording import Passage, Recorder, ReplayedLcd, read_recording
from gprov.apps.host.lcd.station import LcdStation
from gprov.domain.errors import BadInput, DeadlineExceeded, DeviceFault, IntegrityFault
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.commands import Command, CursorStyle, Legend
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Kind, Packet
from gprov.domain.formats.lcd.reports import Button, KeyReport, parse_key_report
from tests.unit.lcdsim.lines import Line, MemoryWire, WorkingClock

M631, M635 = Model.CFA_631, Model.CFA_635


def keys(packets: list[Packet]) -> list[tuple[Button, bool]]:
    reports = [parse_key_report(packet) for packet in packets]
    return [(report.button, report.pressed) for report in reports if isinstance(report, KeyReport)]


def test_a_text_is_found_when_it_is_shown() -> None:
    line = Line(M635)
    line.later = [(2.0, commands.write_text(M635, 2, 3, b"Restore"))]
    face = line.lcd.wait_for("Restore", seconds=5)
    assert face.lines[3].strip() == "Restore"
    assert line.clock.monotonic() == pytest.approx(2.0, abs=0.1)


def test_a_text_that_was_replaced_at_once_is_found() -> None:
    line = Line(M635)
    line.later = [(1.0, commands.write_text(M635, 0, 0, b"Erase "))]

    def work_and_clear() -> None:
        line.work()
        line.send(commands.clear())

    line.clock.work = work_and_clear
    assert "Erase" in line.lcd.wait_for("Erase", seconds=5).text
    assert "Erase" not in line.lcd.face.text


def test_a_text_that_was_shown_before_is_not_found() -> None:
    line = Line(M635)
    line.send(commands.write_text(M635, 0, 0, b"Erase"))
    line.send(commands.clear())
    with pytest.raises(DeadlineExceeded, match=r"text 'Erase' \(shown: .*\): not within 3 s"):
        line.lcd.wait_for("Erase", seconds=3)
    assert line.clock.monotonic() == pytest.approx(3.0, abs=0.1)


def test_a_line_that_ends_ends_the_wait() -> None:
    line = Line(M635, LcdFaults(hang_up_at=0))
    line.later = [(1.0, commands.ping())]
    with pytest.raises(DeviceFault, match="the line ended before text 'Restore'"):
        line.lcd.wait_for("Restore", seconds=100)
    assert line.clock.monotonic() < 2
    assert line.wire.is_closed


def test_a_key_is_pressed_and_released() -> None:
    line = Line(M635)
    line.clock.advance(10)
    line.lcd.press(Button.ENTER, seconds=1.5)
    assert keys(line.received()) == [(Button.ENTER, True), (Button.ENTER, False)]
    assert line.clock.monotonic() == 11.5


def test_a_key_is_pressed_when_the_picture_is_complete() -> None:
    line = Line(M635)
    line.later = [(0.2 * row, commands.write_text(M635, 0, row, b"row")) for row in range(4)]
    line.lcd.wait_for("row", 1)
    line.lcd.press(Button.ENTER, seconds=0)
    assert line.lcd.face.lines[3].startswith("row")
    assert line.clock.monotonic() == pytest.approx(0.6 + 0.5, abs=0.1)


def test_a_picture_that_moves_does_not_delay_a_key_for_long() -> None:
    line = Line(M635)
    line.later = [(0.2 * step, commands.write_text(M635, 0, 0, b"%d" % step)) for step in range(100)]
    line.lcd.press(Button.ENTER, seconds=0)
    assert line.clock.monotonic() == pytest.approx(2.0, abs=0.1)


def test_keys_at_the_end_of_the_line_have_no_effect() -> None:
    line = Line(M635)
    line.wire.close()
    line.lcd.press(Button.ENTER)
    assert line.lcd.is_ended


def test_a_script_waits_and_presses_keys_by_their_symbols() -> None:
    text = "# menu\nwithin 10\nwait Restore\npress DOWN ENTER\npause 0.5\nhold UPPER_LEFT 2\n"
    steps = parse_script("keys", text, M631)
    assert steps == (
        Wait("Restore", 10.0),
        Press(Button.DOWN),
        Press(Button.ENTER),
        Pause(0.5),
        Press(Button.UPPER_LEFT, 2.0),
    )
    line = Line(M631)
    line.later = [
        (1.0, commands.key_legend([Legend.UP, Legend.CHECK, Legend.DOWN, Legend.EXIT])),
        (1.0, commands.write_text(M631, 0, 0, b"Restore")),
    ]
    run_script(steps, line.lcd, line.clock)
    assert [button for button, pressed in keys(line.received()) if pressed] == [
        Button.LOWER_LEFT,
        Button.UPPER_RIGHT,
        Button.UPPER_LEFT,
    ]


def test_a_script_does_not_press_a_key_without_symbol() -> None:
    line = Line(M631)
    with pytest.raises(DeviceFault, match="no key has the symbol of ENTER now"):
        run_script((Press(Button.ENTER),), line.lcd, line.clock)


def test_a_wrong_script_is_refused_with_all_problems() -> None:
    text = "wait\npress OK\nhold EXIT\nwithin soon\npause -1\npress UPPER_LEFT\njump 3\n"
    with pytest.raises(BadInput) as caught:
        parse_script("keys", text, M635)
    assert [problem.place for problem in caught.value.problems] == [f"line {number}" for number in range(1, 8)]


def test_screens_are_printed_when_they_have_settled() -> None:
    line = Line(M631)
    screens = SettledScreens(line.lcd)
    line.clock.advance(1)
    assert [screen.seconds for screen in screens.fresh()] == [0.0]
    line.send(commands.clear(), commands.write_text(M631, 0, 1, b"half"))
    assert list(screens.fresh()) == []
    line.clock.advance(0.05)
    line.send(commands.write_text(M631, 0, 1, b"whole"))
    line.clock.advance(0.15)
    line.send(commands.clear())
    whole = Screen(1.05, ("|" + " " * 20 + "|", "|" + "whole".ljust(20) + "|"))
    assert list(screens.fresh()) == [whole]
    assert list(screens.fresh()) == []
    assert [screen.lines for screen in screens.rest()] == [("|" + " " * 20 + "|",) * 2]
    assert list(screens.rest()) == []


def test_the_cursor_is_printed_below_its_cell() -> None:
    line = Line(M631)
    line.send(commands.clear(), commands.cursor_position(M631, 2, 0), commands.cursor_style(CursorStyle.BLINKING_BLOCK))
    assert list(face_lines(line.lcd.face)) == ["|" + " " * 20 + "|", "   ^", "|" + " " * 20 + "|"]


def recorded() -> tuple[str, list[Packet]]:
    file = io.StringIO()
    clock = WorkingClock()
    line = Line(M635, tap=Recorder(file, clock))
    sent = [commands.ping(b"abc"), commands.clear(), commands.write_text(M635, 0, 0, b"Hello")]
    for packet in sent:
        line.send(packet)
        clock.advance(0.5)
    line.lcd.press(Button.UP)
    return file.getvalue(), sent


def replay(text: str) -> tuple[ReplayedLcd, LcdStation, MemoryWire, WorkingClock]:
    clock = WorkingClock()
    display = ReplayedLcd(M635, read_recording("recording", text), clock)
    wire = MemoryWire()
    return display, LcdStation(display, wire, clock), wire, clock


def test_a_recording_has_all_bytes_of_both_directions() -> None:
    text, sent = recorded()
    passages = read_recording("recording", text)
    assert b"".join(each.data for each in passages if each.is_from_host) == b"".join(map(Packet.serialise, sent))
    assert passages[0] == Passage(0.0, True, sent[0].serialise())
    assert [each.is_from_host for each in passages] == [True, False] * 3 + [False, False]
    assert passages[2].seconds == 0.5


def test_a_replay_answers_as_recorded_and_shows_the_picture() -> None:
    text, sent = recorded()
    display, lcd, wire, clock = replay(text)
    for packet in sent:
        wire.to_display += packet.serialise()
        lcd.turn()
    assert wire.to_host.startswith(Packet(Kind.RESPONSE, Command.PING, b"abc").serialise())
    assert lcd.face.lines[0].rstrip() == "Hello"
    assert not display.is_done
    clock.advance(0.5)  # then the key was pressed
    lcd.turn()
    display.require_done()


def test_a_replay_finds_the_byte_that_differs() -> None:
    text, sent = recorded()
    display, lcd, wire, _ = replay(text)
    wire.to_display = sent[0].serialise() + commands.backlight(3).serialise()
    lcd.turn()
    assert isinstance(display.difference, IntegrityFault)
    assert "byte 7 from the host differs: recorded 06 00" in str(display.difference)


def test_a_replay_finds_bytes_that_are_too_many_or_missing() -> None:
    text, sent = recorded()
    display, lcd, wire, _ = replay(text)
    wire.to_display = b"".join(map(Packet.serialise, sent)) + b"\0"
    lcd.turn()
    assert "recorded nothing, came 00" in str(display.difference)
    display, lcd, wire, _ = replay(text)
    with pytest.raises(IntegrityFault, match="the last 22 bytes of the host did not come"):
        display.require_done()


def test_a_damaged_recording_is_refused_with_all_problems() -> None:
    text = '{"seconds": 0, "from": "host", "bytes": "0"}\n\n{"seconds": -1, "from": "moon", "bytes": "00"}\nx\n'
    with pytest.raises(BadInput) as caught:
        read_recording("recording", text)
    assert {problem.place.partition(":")[0] for problem in caught.value.problems} == {"line 1", "line 3", "line 4"}
    assert len(caught.value.problems) == 4
