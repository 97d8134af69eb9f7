"""Statements of guests amid the noise of a console."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gprov.apps.host.lab.guest_messages import GuestMilestone, GuestReport, guest_report, milestones

CONSOLE = (
    b"\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J[    1.9] Run /init as init process\r\n"
    b'\r\nGPROV-EVENT {"milestone": "init-started", "uptime": 2.17}\r\n'
    b"2026-11-23T00:18:46.382Z LOG milestone init-started at 2.17 s\r\n"
    b'[    3.3] usb 2-1: new devGPROV-EVENT {"state": "FR_STARTED"}[    3.4] more\r\n'
    b'GPROV-EVENT {"milestone": "handover", "upt\r\n'
    b'GPROV-EVENT {"milestone": "handover", "uptime": 4, "root": "/dev/sda1"}\r\n'
)


def test_milestones_and_states_are_found_in_order_among_other_text() -> None:
    assert milestones(CONSOLE) == (
        GuestMilestone("init-started", 2.17, {}),
        GuestMilestone("FR_STARTED", None, {}),
        GuestMilestone("handover", 4.0, {"root": "/dev/sda1"}),
    )


def test_an_incomplete_line_is_ignored() -> None:
    whole = b'GPROV-EVENT {"milestone": "handover", "uptime": 4.5}'
    assert milestones(whole)
    for length in range(len(whole)):
        assert milestones(whole[:length]) == ()


def test_messages_of_the_wrong_shape_are_ignored() -> None:
    for text in ("[]", "{}", '{"milestone": 7}', '{"milestone": ""}', '"handover"', "NaN"):
        assert milestones(b"GPROV-EVENT " + text.encode()) == ()
    assert milestones(b'GPROV-EVENT {"milestone": "a", "uptime": true}') == (GuestMilestone("a", None, {}),)
    assert milestones(b'GPROV-EVENT {"milestone": "a", "uptime": "1"}') == (GuestMilestone("a", None, {}),)


def test_the_last_report_counts() -> None:
    report = (
        b'GPROV-LAB {"verdict":"degraded","uptime":9.1}\nGPROV-LAB {"verdict":"multi-user","uptime":12.5,"failed":""}\n'
    )
    assert guest_report(report) == GuestReport("multi-user", 12.5, {"failed": ""})
    assert guest_report(b"") is None
    assert guest_report(CONSOLE) is None


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@settings(max_examples=150)
@given(st.lists(st.tuples(names, st.floats(0, 1e6))), st.binary(max_size=40))
def test_written_milestones_are_read_back(said: list[tuple[str, float]], noise: bytes) -> None:
    noise = noise.replace(b"GPROV", b"")
    lines = [b"GPROV-EVENT " + json.dumps({"milestone": name, "uptime": uptime}).encode() for name, uptime in said]
    console = b"".join(b"\n" + noise + b"\n" + line + b"\r\n" for line in lines)
    assert [(each.name, each.uptime) for each in milestones(console)] == said


@settings(max_examples=150)
@given(st.binary(max_size=200))
@example(b"GPROV-EVENT " + b"[" * 100_000)
def test_any_console_output_is_parsed(raw: bytes) -> None:
    for console in (raw, b"GPROV-EVENT " + raw, CONSOLE[: len(raw)] + raw + CONSOLE[len(raw) :]):
        assert all(each.name for each in milestones(console))
    guest_report(b"GPROV-LAB {" + raw)
