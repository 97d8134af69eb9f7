"""A key that gprov does not read is named by the checks, with its place and the key that was probably meant."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.object import MOST_PROBLEMS
from gprov.domain.formats.json.reading import read_object
from gprov.domain.formats.json.unknown import unknown_keys
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.platform.table import read_platform_table
from tests.unit.keys.full_manuf import full_manuf
from tests.unit.keys.full_platform import TABLE
from tests.unit.keys.outcome import encoded
from tests.unit.keys.parsed_keys import Place, path_text, places


def manuf_problems(document: Json) -> tuple[Problem, ...]:
    return parse_manuf("manufData.json", encoded(document), Branding()).warnings


def table_problems(document: Json) -> tuple[Problem, ...]:
    return read_platform_table("appliance.json", encoded(document)).unknown


def renamed(document: Json, place: Place, name: str) -> Json:
    result: Json = copy.deepcopy(document)
    inner = result
    for step in place[:-1]:
        inner = inner[step]  # type: ignore[index]
    inner[name] = inner.pop(place[-1])  # type: ignore[union-attr, index]
    return result


def named(problems: tuple[Problem, ...], place: Place) -> list[str]:
    return [problem.message for problem in problems if problem.place == f"$.{path_text(place)}"]


def told(problems: Callable[[Json], tuple[Problem, ...]], document: Json, place: Place) -> list[str]:
    """Messages about the place if its key is misspelt; all of the file if it is refused."""
    wrong = f"{place[-1]}x"
    try:
        return named(problems(renamed(document, place, wrong)), (*place[:-1], wrong))
    except BadInput as error:
        return ["\n".join(error.details())]


@pytest.mark.parametrize("place", [place for place, _ in places(full_manuf())], ids=path_text)
def test_of_manuf_data(place: Place) -> None:
    [message] = told(manuf_problems, full_manuf(), place)
    assert str(place[-1]) in message


@pytest.mark.parametrize("place", [place for place, _ in places(TABLE)], ids=path_text)
def test_of_a_platform_table(place: Place) -> None:
    [message] = told(table_problems, TABLE, place)
    assert str(place[-1]) in message


def test_the_key_that_was_probably_meant_is_named() -> None:
    assert told(manuf_problems, full_manuf(), ("ValidationData", 0, "SerNumRegex")) == [
        "is ignored: no key of this name is known here; is SerNumRegex meant?"
    ]


def test_a_key_in_the_wrong_object() -> None:
    document: Json = copy.deepcopy(TABLE)
    document["Variants"][0]["AdminOwnsFolders"] = True  # type: ignore[call-overload, index]
    [problem] = table_problems(document)
    assert str(problem) == "$.Variants[0].AdminOwnsFolders: is ignored: no key of this name is known here"


def test_known_keys_in_any_case_and_comments_are_no_warnings() -> None:
    assert [problem for problem in manuf_problems(full_manuf()) if "is ignored" in problem.message] == []
    assert table_problems(TABLE) == ()
    assert table_problems({"_why": {"Any": 1}, **renamed(TABLE, ("Variants", 0, "IPMI"), "ipmi")}) == ()  # type: ignore[dict-item]


@given(st.dictionaries(st.text(), st.one_of(st.integers(), st.dictionaries(st.text(), st.none())), max_size=6))
def test_any_keys(document: dict[str, Json]) -> None:
    """Of the two that are asked for, and of comments, there is no word; of every other there is one."""
    root = read_object("file", encoded(document))
    root.integer("known")
    root.has("other")
    found = unknown_keys(root)
    others = [key for key in document if not key.startswith("_") and key.lower() not in ("known", "other")]
    assert len(found) == len(others)
    assert all(problem.place.startswith("$.") and str(problem).isprintable() for problem in found)


def test_there_is_a_limit() -> None:
    document = {f"{number}{'x' * 100_000}": None for number in range(MOST_PROBLEMS + 1)}
    found = unknown_keys(read_object("file", encoded(document)))
    assert len(found) == MOST_PROBLEMS
    assert max(len(str(problem)) for problem in found) < 200
