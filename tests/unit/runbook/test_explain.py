"""Looking up a text that a unit has shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.cli.main import main
from gprov.apps.host.runbook.entries import Chapter, Entry, parse_chapter, parse_texts, shown_texts
from gprov.apps.host.runbook.matching import MOST_SIMILAR, explain, similar
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


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("rot volume not fund yet; /dev/sda is blank", "root volume not found yet; {found}"),
        ("Input/output erorr", "Input/output error"),
        (
            "acme.gateway.2026-03-01.7.upd could not be instaled: loking for another image",
            "{image} could not be installed: looking for another image",
        ),
        ("NO SPACE LEFT ON DEWICE", "No space left on device"),
    ],
)
def test_a_text_with_mistakes_gets_the_most_similar(
    typed: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(typed) == ()
    assert main(["explain", typed]) == 1
    shown = capsys.readouterr()
    assert "has no such text" in shown.err
    assert shown.out.splitlines()[0] == f"similar: {nearest}"
    assert 0 < shown.out.count("similar: ") <= MOST_SIMILAR


@given(st.sampled_from([one for one in shown_texts() if len(one) > 40 and "{" not in one]), st.data())
def test_one_wrong_letter_in_a_long_text_leaves_it_the_most_similar(template: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(template) - 1))
    most_similar = similar(f"{template[:place]}#{template[place + 1 :]}")[0]
    assert template in most_similar.entry.texts


def test_nothing_is_similar_to_what_has_no_words() -> None:
    assert similar("qwertz uiop") == similar("") == similar("12 34 56") == ()


def test_parts_between_semicolons_say_more_than_a_short_text_that_fits_to_all() -> None:
    array = "array h:P (RAID 5, 3 disks) is failed: slot 0 present; out of date: slot 1"
    found = explain(f"root volume not found yet; {array}")
    assert [one.template for one in found][1:] == [
        "array {array} (RAID {level}, {number} disks) is {state}: {items} present",
        "out of date: {disks}",
    ]


def test_a_short_text_stays_found_although_a_word_of_its_value_stands_elsewhere() -> None:
    assert explain("2026-11-30T16:22:52.532Z MSG Step lab: values and passwords")[0].template == "Step {step}"


def test_a_reason_that_was_cut_is_found_behind_its_subject() -> None:
    assert [one.template for one in explain("/dev/sdb2: Input/outp")] == ["Input/output error"]
    assert explain("A.upd: is n") == ()


def test_a_line_of_the_log_is_not_taken_for_a_part_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "2026-11-30T16:29:20.203Z LOG state MFG_FAILED"]) == 1
    shown = capsys.readouterr()
    assert (shown.out, "severity LOG need no action" in shown.err) == ("", True)


def test_the_reason_of_a_failed_start_says_more_than_what_it_lists() -> None:
    found = explain(
        "root volume not found; 1 of 2 data disks present, without boot files: /dev/sdb without PRIMARY; check cables "
        "and power of the disks. Restarting in 10 min; any key: at once"
    )
    assert [one.template for one in found[:2]] == [
        "{reason}. Restarting in {number}; any key: at once",
        "root volume not found; {found}; check cables and power of the disks",
    ]
