"""Looking up a text that a unit has shown."""

from __future__ import annotations

import json

import pytest

from gprov.apps.host.cli.main import main
from gprov.apps.host.runbook.entries import Chapter, Entry, parse_chapter, parse_texts
from gprov.apps.host.runbook.matching import explain
from gprov.domain.errors import BadInput


def entry(*texts: str) -> Entry:
    return Entry(texts=texts, means=f"About {texts[0]}.", unit="Goes on.", person="")


BOOK = (
    Chapter(
        name="one",
        title="One",
        about="",
        entries=(
            entry("no remote log: {error}"),
            entry("{node}: cannot be read: {strerror}"),
            entry("cannot be read: {strerror}"),
            entry("{name} is refused: {reason}"),
            entry("its manifest is not signed"),
            entry("Input/output error"),
            entry("a {{brace}} in {path}"),
        ),
    ),
)


@pytest.mark.parametrize(
    ("text", "templates"),
    [
        ("no remote log: the cable is out", ["no remote log: {error}"]),
        ("Warning: no remote log: the cable is out", ["no remote log: {error}"]),
        ("2026-03-01T12:30:59.123Z WARNING no remote log: x", ["no remote log: {error}"]),
        ("no remote log:\n    x", ["no remote log: {error}"]),
        (
            "no remote log: /dev/sda: cannot be read: Input/output error",
            ["no remote log: {error}", "{node}: cannot be read: {strerror}", "Input/output error"],
        ),
        (
            "A.upd is refused: its manifest is not signed",
            ["{name} is refused: {reason}", "its manifest is not signed"],
        ),
        ("fr.data: its manifest is not signed (and 3 more)", ["its manifest is not signed"]),
        ("a {brace} in /etc", ["a {{brace}} in {path}"]),
        ("something else", []),
        ("", []),
    ],
)
def test_the_whole_text_first_then_its_parts(text: str, templates: list[str]) -> None:
    assert [found.template for found in explain(text, BOOK)] == templates


def test_explain_prints_meaning_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "Wrong", "password"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Wrong password"
    assert [line.split(":")[0].strip() for line in lines[1:] if not line.startswith("    ")][:2] == ["means", "unit"]


def test_explain_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", "Wrong password"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["template"] == found["text"] == "Wrong password"
    assert found["page"].startswith("docs/runbook/")
    assert found["means"]


def test_an_unknown_text_is_a_negative_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "qwertz uiop"]) == 1
    assert "has no such text" in capsys.readouterr().err
    assert main(["explain", "--json", "qwertz uiop"]) == 1
    assert json.loads(capsys.readouterr().out) == []


def test_a_line_of_the_log_that_needs_no_action_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "2026-01-15T10:00:00.000Z LOG qwertz uiop"]) == 1
    assert "severity LOG need no action" in capsys.readouterr().err


def test_data_are_checked() -> None:
    with pytest.raises(BadInput) as caught:
        parse_chapter("x", b'title = "X"\n[[entry]]\ntexts = []\nmeans = "M."\nremedy = "R."\n')
    assert {str(problem) for problem in caught.value.problems} == {
        "$.entry[0].texts: is empty",
        "$.entry[0].remedy: is unknown",
        "$.entry[0].unit: is missing",
    }
    with pytest.raises(BadInput):
        parse_texts(b'{"texts": [{"text": "a", "kinds": ["message"]}]}')
