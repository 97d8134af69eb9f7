"""Looking up a text that was cut, has lost its beginning, or comes with what logs and displays put around it."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gprov.apps.host.cli.main import main
from gprov.apps.host.runbook.entries import Chapter, Entry, chapters
from gprov.apps.host.runbook.fragments import Fragments, overlap, pieces
from gprov.apps.host.runbook.matching import MOST_FRAGMENTS, explain
from gprov.apps.host.runbook.shown_line import shown_line, squashed
from gprov.domain.display.text import wrap

TEMPLATES = [(chapter, entry, text) for chapter in chapters() for entry in chapter.entries for text in entry.texts]
ALL = Fragments([text for _, _, text in TEMPLATES])
# Values: paths, numbers, names of images, sentences.
VALUES = st.text("abcdefg/-_.0123456789 AQZ:", min_size=1, max_size=30).filter(str.strip)
_PLACEHOLDER = re.compile(r"(\{\{|\}\}|\{\w+\})")


def filled(template: str, values: list[str]) -> tuple[str, list[bool]]:
    """A text of the template, and which of its characters are the template's own."""
    text, own, left = "", [], list(values)
    for part in _PLACEHOLDER.split(template):
        is_value = bool(re.fullmatch(r"\{\w+\}", part))
        shown = left.pop() if is_value else part.replace("{{", "{").replace("}}", "}")
        text += shown
        own += [not is_value] * len(shown)
    return text, own


@st.composite
def instances(draw: st.DrawFn) -> tuple[int, str, list[bool]]:
    """Number of a template, a text of it, and which characters are the template's own."""
    number = draw(st.integers(0, len(TEMPLATES) - 1))
    template = TEMPLATES[number][2]
    count = len(re.findall(r"(?<!\{)\{\w+\}", template)) + 4
    return number, *filled(template, draw(st.lists(VALUES, min_size=count, max_size=count)))


def squashed_parts(text: str, own: list[bool]) -> list[tuple[str, bool]]:
    """Each character as a display shows it, without white space."""
    return [(one, is_own) for character, is_own in zip(text, own, strict=True) for one in squashed(character)]


def longest_run(own: list[bool]) -> int:
    return max(map(len, re.findall("1+", "".join("01"[one] for one in own))), default=0)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(instances(), st.floats(0, 1), st.integers(12, 80), st.sampled_from([16, 20, 40, 80]))
def test_a_part_of_a_text_finds_its_template(
    instance: tuple[int, str, list[bool]], begin: float, length: int, columns: int
) -> None:
    """Cut anywhere and broken at the width of a display."""
    number, text, own = instance
    parts = squashed_parts(text, own)
    start = int(begin * max(0, len(parts) - length))
    shown = parts[start : start + length]
    count = sum(is_own for _, is_own in shown)
    if longest_run([is_own for _, is_own in shown]) < 5 or count < max(6, len(shown) / 3):
        return
    fragment = "\n".join(wrap("".join(one for one, _ in shown), columns))
    fitting = ALL.fitting(fragment)
    mine = next(one for one in fitting if one.index == number)
    assert mine.overlap >= count
    found = explain(fragment)
    assert found
    rivals = [one for one in fitting if one.overlap >= mine.overlap and one.index != number]
    is_listed = any(one.entry is TEMPLATES[number][1] for one in found)
    assert is_listed or rivals, (fragment, TEMPLATES[number][2])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances())
def test_a_whole_text_with_values_is_found(instance: tuple[int, str, list[bool]]) -> None:
    number, text, own = instance
    if sum(own) < 12 or longest_run(own) < 6 or sum(own) * 3 < len(own):
        return
    found = explain(text)
    entry = TEMPLATES[number][1]
    mine = sum(map(len, pieces(TEMPLATES[number][2])))
    assert any(one.entry is entry for one in found) or sum(len("".join(pieces(one.template))) for one in found) >= mine


@pytest.mark.parametrize(
    "decorated",
    [
        "2026-03-01T12:30:59.123Z ERROR {}",
        "ERROR: {}",
        "Warning: {}",
        "\x1b[1;31mERROR: {}\x1b[0m",
        "\x1b[2K\r{}\x1b[K",
        "[31m{}[0m",
        "Nov 30 15:48:00 unit-7 gprov-update[312]: {}",
        "2026-11-30T15:48:00+00:00 unit-7 gprov-update[312]: {}",
        "[   12.345678] init: {}",
        "<4>{}",
        "gprov-boot-good: {}",
        "gprov: {}",
        "  {}\r\n",
    ],
)
def test_what_is_around_a_text_does_not_matter(decorated: str) -> None:
    for text in ("/dev/sda1: cannot mount: file system unknown", "no remote log: x", "[a] {b}: Nov 30"):
        assert shown_line(decorated.replace("{}", text)) == text


@pytest.mark.parametrize(
    ("text", "overlapping"),
    [
        ("cannotbere", 10),  # within one piece
        ("sda:cannotberead", 13),  # from a value on
        ("sda:cannotberead:Inp", 14),  # over values
        ("read:Input", 5),  # from within a piece on
        ("notread", 0),
        ("cannotbewritten", 0),
    ],
)
def test_overlap(text: str, overlapping: int) -> None:
    assert overlap(text, pieces("{node}: cannot be read: {reason}")) == overlapping


def test_pieces() -> None:
    assert pieces("a {{B}} in {path}") == ("a{b}in", "")
    assert pieces("{a}{b} ± c") == ("", "", "+-c")


def entry(*texts: str) -> Entry:
    return Entry(texts=texts, means="M.", unit="U.", person="")


def test_ambiguous_parts_are_listed_once_each() -> None:
    entries = tuple(entry(f"volume {number} could not be used here") for number in range(12))
    double = entry("array could not be used there", "array could not be used")
    book = (Chapter(name="c", title="C", about="", entries=(*entries, double)),)
    found = explain("could not be used", book)
    assert len(found) == MOST_FRAGMENTS
    assert len({id(one.entry) for one in found}) == len(found)
    assert not any(one.is_whole for one in found)
    assert found[0].entry is double


def test_a_part_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "could not be used to reco"]) == 0
    assert capsys.readouterr().out.startswith("part of: RECOVERY could not be used to record this boot: {")
