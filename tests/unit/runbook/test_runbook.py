"""The runbook has an entry for every text that a unit can show, and no other."""

from __future__ import annotations

import re

import pytest

from distribution.command_pages import command_pages
from gprov.apps.host.cli.commands import whole_application
from gprov.apps.host.image.tool_sets import ALL_TOOLS
from gprov.apps.host.runbook.entries import Chapter, chapters, doubled, shown_texts
from gprov.apps.host.runbook.matching import explain, expression
from tools import runbook
from tools.shown_texts import by_hand, left_out
from tools.shown_texts.plain_names import TERMS
from tools.shown_texts.sources import ROOT


def test_every_text_has_an_entry() -> None:
    """Run `python -m tools.runbook` after a change of a message: it lists what is missing."""
    assert runbook.missing(runbook.needed(), chapters()) == ()


def test_every_entry_is_of_a_text() -> None:
    assert runbook.stale(runbook.needed(), chapters()) == ()


def test_no_text_has_two_entries() -> None:
    assert doubled(chapters()) == ()


def test_no_entry_has_too_many_texts() -> None:
    """An operator gets an answer for his message."""
    assert runbook.broad(chapters()) == ()


def test_the_data_are_those_of_the_source() -> None:
    assert runbook.TEXTS.read_text() == runbook.texts_document(runbook.needed())
    assert shown_texts() == runbook.needed()


def test_the_pages_are_generated() -> None:
    pages = runbook.pages(chapters(), runbook.needed())
    assert {path: path.read_text() for path in pages} == pages
    assert set(runbook.PAGES.iterdir()) == set(pages)


def test_texts_that_the_source_does_not_show_are_known() -> None:
    """Each place that shows a text whose wording is made elsewhere, and where that is found."""
    found = {(one.where, one.source) for one in runbook.collected().unresolved}
    assert found == set(by_hand.PASSED_ON)


def test_every_name_of_a_placeholder_is_needed() -> None:
    used = {name for template in runbook.collected().found for name in re.findall(r"\{(\w+)\}", template)}
    assert TERMS.keys() - used == set()


def test_what_is_left_out_is_there() -> None:
    """No exception outlives its text."""
    texts = runbook.collected()
    assert set(left_out.TEXTS) <= texts.found.keys()
    places = {place for found in texts.places.values() for place in found}
    assert [one for one in left_out.MODULES if not any(left_out.is_in(place, [one]) for place in places)] == []


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_entries_are_sentences(chapter: Chapter) -> None:
    for entry in chapter.entries:
        for text in (entry.means, entry.unit, entry.person):
            assert not text or re.fullmatch(r"[A-Z`'].*[.)]", text), (entry.texts[0], text)
            assert not re.search(r"(?i)\b(?:whoever|nobody|somebody|anybody|in vain)\b", text), entry.texts[0]


def test_every_text_is_found_by_itself() -> None:
    """A reader who looks for a text gets its own entry first, or one whose text fits, too, and says more."""
    for chapter in chapters():
        for entry in chapter.entries:
            for text in entry.texts:
                shown = re.sub(r"\{(\w+)\}", r"\1", text).replace("{{", "{").replace("}}", "}")
                if not re.search("[A-Za-z]{2}", re.sub(r"\{\w+\}", "", text)):
                    continue
                found = explain(shown)
                assert found, text
                assert found[0].entry is entry or expression(found[0].template).fullmatch(" ".join(shown.split())), text


def words_of(program: str) -> str:
    """Source of a program in an image, which has its options and commands."""
    tool = ROOT / "gprov/apps/host/image/tools/sbin" / program
    agent = ROOT / "gprov/apps/update/main.py"
    return (agent if program == "gprov-update" else tool).read_text()


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_what_entries_tell_a_person_to_run_exists(chapter: Chapter) -> None:
    programs = {*ALL_TOOLS.programs, "gprov-hardware", "gprov-update"}
    commands = {" ".join(page.words) for page in command_pages(whole_application())}
    for entry in chapter.entries:
        for quoted in re.findall(r"`([^`]*)`", f"{entry.means} {entry.unit} {entry.person}"):
            if quoted.startswith("gprov-"):
                program, *words = quoted.split()
                assert program in programs, entry.texts[0]
                assert all(word in words_of(program) for word in words), entry.texts[0]
            elif quoted.startswith("gprov "):
                assert quoted in commands, entry.texts[0]


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_advice_to_provision_again_says_what_that_costs(chapter: Chapter) -> None:
    """Provisioning wipes a unit with the data of its owner."""
    shown = shown_texts()
    for entry in chapter.entries:
        in_the_field = {program for text in entry.texts for program in shown[text].programs} - {"provisioning"}
        if in_the_field and re.search(r"provision(?:s|ing)? (?:the unit )?again|[Pp]rovision the unit", entry.person):
            assert re.search(r"wipes?\b", entry.person), entry.texts[0]
