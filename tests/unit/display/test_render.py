"""Properties of all pictures: nothing outside of the display, all text is seen, and the time of the next change."""

from __future__ import annotations

from itertools import pairwise
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.display.render import continues, next_change, render
from gprov.domain.display.screen import LCD_2X20, Geometry, Screen
from gprov.domain.display.text import to_ascii, wrap
from gprov.domain.display.views import (
    KeyWindowView,
    MenuView,
    MessageView,
    PasswordView,
    ProgressView,
    QuestionView,
    View,
)

TEXTS = st.text(max_size=400) | st.text(st.sampled_from("ab \n-é€\x1b\0"), max_size=200)
GEOMETRIES = st.builds(Geometry, st.integers(16, 100), st.integers(2, 40))
SECONDS = st.floats(-1, 1e7, allow_nan=False)
COUNTS = st.integers(-5, 1 << 70)
VIEWS: st.SearchStrategy[View] = st.one_of(
    st.builds(MessageView, TEXTS, busy=st.booleans()),
    st.builds(
        ProgressView,
        task=TEXTS,
        done=COUNTS,
        total=COUNTS,
        rate=st.floats(-1, 1e22),
        seconds_left=st.none() | st.floats(-1, 1e12),
    ),
    st.builds(MenuView, TEXTS, st.lists(TEXTS, max_size=40).map(tuple), st.integers(-3, 45), st.text(max_size=100)),
    st.builds(QuestionView, TEXTS, st.booleans(), st.text(max_size=100)),
    st.builds(KeyWindowView, TEXTS, st.floats(-1, 1e5)),
    st.builds(PasswordView, TEXTS, st.integers(-1, 300)),
)


def pictures(view: View, geometry: Geometry, limit: int = 3000) -> list[Screen]:
    """All pictures of a view until its first one comes again, or ``limit`` of them."""
    seconds, found = 0.0, [render(view, geometry, 0.0)]
    for _ in range(limit):
        seconds = next_change(view, geometry, seconds)
        if seconds == inf:
            break
        found.append(render(view, geometry, seconds))
        if found[-1] == found[0]:
            break
    return found


@given(VIEWS, GEOMETRIES, SECONDS)
def test_a_picture_has_the_size_of_the_display_and_its_cursor_is_inside(
    view: View, geometry: Geometry, seconds: float
) -> None:
    # Screen refuses anything but printable ASCII, and a cursor outside.
    assert render(view, geometry, seconds).geometry == geometry


@given(VIEWS, GEOMETRIES, SECONDS, st.floats(0, 1, exclude_max=True))
def test_a_picture_stays_until_the_next_change(view: View, geometry: Geometry, seconds: float, share: float) -> None:
    until = next_change(view, geometry, seconds)
    assert until > seconds
    now = render(view, geometry, seconds)
    if until == inf:
        assert render(view, geometry, seconds + 1e6 * share) == now
    else:
        between = seconds + (until - seconds) * share
        assert between >= until or render(view, geometry, between) == now


@given(VIEWS, GEOMETRIES)
def test_pictures_do_not_change_faster_than_a_display_draws(view: View, geometry: Geometry) -> None:
    times = [0.0]
    while len(times) < 20 and (following := next_change(view, geometry, times[-1])) != inf:
        times.append(following)
    assert all(later - earlier >= 0.124 for earlier, later in pairwise(times[1:]))


@given(TEXTS, GEOMETRIES, st.booleans())
def test_every_line_of_a_message_is_shown_at_some_time(text: str, geometry: Geometry, busy: bool) -> None:
    shown = {line.strip() for screen in pictures(MessageView(text), geometry) for line in screen.lines}
    assert {line.strip() for line in wrap(text, geometry.columns)} <= shown
    if busy:
        room = geometry.columns - 2
        seen = " ".join(
            line[:room].strip() for screen in pictures(MessageView(text, busy=True), geometry) for line in screen.lines
        )
        for word in to_ascii(text).split():
            assert len(word) > room or word in seen


@given(TEXTS, GEOMETRIES)
def test_a_question_is_shown_completely_and_its_answers_always(text: str, geometry: Geometry) -> None:
    screens = pictures(QuestionView(text), geometry)
    assert all(any(">No" in line and " Yes" in line for line in screen.lines) for screen in screens)
    columns = geometry.columns - is_console(geometry)
    shown = {line.strip() for screen in screens for line in screen.lines}
    assert {line.strip() for line in wrap(text, columns)} <= shown


ITEMS = st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=60), min_size=1)


@given(ITEMS, GEOMETRIES, st.data())
def test_the_selected_item_is_marked_and_shown_completely(
    items: list[str], geometry: Geometry, data: st.DataObject
) -> None:
    selected = data.draw(st.integers(0, len(items) - 1))
    console, item = is_console(geometry), items[selected]
    room = geometry.columns - (7 if console else 1)
    parts = set()
    for screen in pictures(MenuView("Menu", tuple(items), selected), geometry):
        [marked] = [line for line in screen.lines if line.startswith(">")]
        parts.add(marked[6 if console else 1 :].rstrip())
        assert screen.cursor is not None
        assert console or screen.lines[screen.cursor.row] == marked
    # Items of the same menu may be longer and move for longer: parts of this one come again then.
    assert {item[start : start + room] for start in range(max(1, len(item) - room + 1))} <= parts


def is_console(geometry: Geometry) -> bool:
    return geometry.rows >= 12 and geometry.columns >= 40


@given(TEXTS, st.integers(1, 100))
def test_lines_are_within_their_width_and_lose_no_character(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert all(len(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(to_ascii(text).split())
    assert all(line == line.strip() for line in lines)


@given(st.lists(st.text("abc", min_size=1, max_size=10), max_size=30), st.integers(10, 40))
def test_lines_are_broken_at_words_and_as_full_as_possible(words: list[str], columns: int) -> None:
    lines = wrap(" ".join(words), columns)
    assert [word for line in lines for word in line.split()] == words
    assert all(len(one) + 1 + len(after.split()[0]) > columns for one, after in pairwise(lines))


def test_letters_that_displays_lack() -> None:
    assert to_ascii(
        "Größe 5 µm … \N{LEFT DOUBLE QUOTATION MARK}é\N{RIGHT DOUBLE QUOTATION MARK} \x1b[31m\t漢\r\nfi: ﬁ"
    ) == ('Groesse 5 um ... "e" ?[31m ?\nfi: fi')


def test_a_long_message_pauses_moves_by_lines_and_begins_anew() -> None:
    view = MessageView("one\ntwo\nthree\nfour")
    at = {seconds: render(view, LCD_2X20, seconds).lines[0].strip() for seconds in (0, 2.9, 3, 4.9, 5, 7.9, 8, 11)}
    assert list(at.values()) == ["one", "one", "two", "two", "three", "three", "one", "two"]


def test_the_time_left_of_a_key_window_counts_down_to_zero() -> None:
    view = KeyWindowView("Press any key", 2.5)
    shown = [render(view, LCD_2X20, seconds).lines[1].split()[0] for seconds in (0, 0.4, 0.5, 1.4, 1.5, 2.4, 2.5, 99)]
    assert shown == ["3", "3", "2", "2", "1", "1", "0", "0"]


def test_time_and_rate_of_a_progress() -> None:
    view = ProgressView(task="unpack", done=50, total=100, rate=12.34e6, seconds_left=125.0)
    assert [line.strip() for line in render(view, LCD_2X20, 0).lines] == ["unpack          50 %", "12 MB/s  3 min left"]


def test_what_moves_goes_on_when_only_its_state_changes() -> None:
    half = ProgressView(task="unpack", done=1, total=2)
    assert continues(half, ProgressView(task="unpack", done=2, total=2))
    assert not continues(half, ProgressView(task="verify", done=1, total=2))
    assert continues(QuestionView("Sure?"), QuestionView("Sure?", yes=True, typed="y"))
    assert not continues(QuestionView("Sure?"), QuestionView("Really?"))
    menu = MenuView("Menu", ("a", "b"), 0)
    assert continues(menu, MenuView("Menu", ("a", "b"), 0, "7"))
    assert not continues(menu, MenuView("Menu", ("a", "b"), 1))
    assert continues(PasswordView("Password", 1), PasswordView("Password", 2))
    assert continues(MessageView("x"), MessageView("x"))
    assert not continues(MessageView("x"), MessageView("x", busy=True))
    assert not continues(KeyWindowView("Press", 3), KeyWindowView("Press", 2))
