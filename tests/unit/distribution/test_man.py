"""Every command and action has a manual page, with every option; tests/integ/distribution has the pages read by man."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.command_pages import CommandPage, command_pages, first_sentence
from distribution.man import manual
from distribution.roff import escaped, synopsis, tagged
from gprov.apps.host.cli.commands import COMMANDS, whole_application
from gprov.apps.host.cli.main import main

PAGES = list(command_pages(whole_application()))
BY_NAME = {page.name: page for page in PAGES}


def helped(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main([*words[1:], "--help"])
    return capsys.readouterr().out


def actions(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, ...]]:
    """As the help of the program lists them."""
    yield words
    _, _, listed = helped(words, capsys).partition("\nCommands:\n")
    for action in re.findall(r"^  (\S+)  ", listed, re.MULTILINE):
        yield from actions((*words, action), capsys)


def test_every_command_and_action_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert [page.words for page in PAGES] == list(actions(("gprov",), capsys))
    assert len(PAGES) > 60
    assert {word for word, _ in BY_NAME["gprov"].inner} == set(COMMANDS)


def test_every_option_of_the_help_is_on_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    checked = 0
    for page in PAGES:
        rows = re.findall(r"^  (-\S.*?)(?:  |$)", helped(page.words, capsys), re.MULTILINE)
        named = set(re.findall(r"(?<!\S)--[a-z-]+", " ".join(rows)))
        shown = set(re.findall(r"(?<!\S)--[a-z-]+", " ".join(written for written, _ in page.options)))
        assert named == shown, page.name
        checked += len(named)
    assert checked > 200


def test_every_page_has_what_readers_of_manuals_expect() -> None:
    for page in PAGES:
        text = manual(page, PAGES, "2026-01-31")
        assert text.isascii()
        assert re.findall(r"^\.SH (.*)$", text, re.MULTILINE)[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"], page.name
        assert page.summary
        assert "\n" not in page.summary
        assert not page.summary.endswith(".")
        assert all(means for _, means in page.options), page.name


def test_pages_name_their_neighbours() -> None:
    text = manual(BY_NAME["gprov-server"], PAGES, "2026-01-31")
    assert "\\fBgprov\\fR(1),\n" in text
    assert "\\fBgprov\\-server\\-init\\fR(1)" in text
    assert "\\fBgprov\\-server\\-account\\-add\\fR(1)" not in text


PAGE = CommandPage(
    words=("gprov", "do"),
    usage="[OPTIONS] {FILE}...",
    paragraphs=("Do it: at once. Then\nmore.", "'Quoted' \\ text of docs/x.md."),
    arguments=(("FILE", ""),),
    options=(("--way here|there, -w", "which …"),),
    inner=(),
)


def test_the_text_of_a_page() -> None:
    lines = manual(PAGE, [PAGE], "2026-01-31").splitlines()
    assert lines[0].startswith('.TH "GPROV\\-DO" 1 "2026-01-31" "gprov ')
    assert "gprov\\-do \\- Do it: at once" in lines
    assert "\\fBgprov do\\fR \\fI[OPTIONS]\\fR \\fI{FILE}...\\fR" in lines
    assert lines[lines.index(".PP") + 1] == "\\(aqQuoted\\(aq \\e text of docs/x.md."
    assert lines[lines.index(".SH ARGUMENTS") + 1 :][:3] == [".TP", "\\fIFILE\\fR", "\\&"]
    assert "\\fB\\-\\-way\\fR \\fIhere|\\:there,\\fR \\fB\\-w\\fR" in lines
    assert "which \\[u2026]" in lines


def test_no_line_of_text_is_taken_for_a_request() -> None:
    assert escaped(".profile is read") == "\\&.profile is read"
    assert escaped("'quoted'") == "\\(aqquoted\\(aq"
    assert tagged("x", "  .a\n b ") == [".TP", "x", "\\&.a b"]
    assert synopsis("") == ""


@given(st.text())
def test_any_text_becomes_one_line_of_ascii(text: str) -> None:
    shown = escaped(text)
    assert shown.isascii()
    assert "\n" not in shown
    assert not shown.startswith((".", "'"))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One thing. Another.", "One thing"),
        ("Reads server.toml and v1.2 files. Then", "Reads server.toml and v1.2 files"),
        ("e.g. this counts", "e.g. this counts"),
        ('Lists them. "signed": not checked', "Lists them"),
        ("Only one.", "Only one"),
        ("No dot", "No dot"),
        ("", ""),
    ],
)
def test_the_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first
