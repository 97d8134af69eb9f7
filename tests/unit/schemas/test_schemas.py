"""Schemas of documents that gprov reads, with a JSON schema validator as oracle: a schema accepts what the reader
accepts, and the other way round, except for the rules that are named beside it."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gprov.domain.errors import BadInput
from tests.unit.schemas.examples import Document, counterexamples, examples
from tests.unit.schemas.toml_text import toml_text
from tools.schemas.formats import Format
from tools.schemas.registry import ALL, FORMATS, TOML_FORMATS

READ = (*FORMATS, *TOML_FORMATS)
NAMES = [one.name for one in READ]
BY_NAME = {one.name: one for one in READ}
VALIDATORS = {one.name: Draft202012Validator(one.schema) for one in READ}
TOML = {one.name for one in TOML_FORMATS}
TYPES: tuple[Any, ...] = (None, True, 0, -1, "", " ", "x", [], {})
# Values that limits, types and patterns distinguish.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, -1, 16, 50, 100, 101, 1.0, 1.5),
    *(2**31, 2**63 - 1, 2**63, -(2**63)),
    *("", " ", "x", "a/b", "/", "..", "ä", "x" * 12, "x" * 17, "http://a/", "a:1", "pblog", "HTTPS://A"),
    *("0" * 40, "F" * 64, "0x8086", "0x10000", "65535", "65536", "0x00000001", "a\n", "ahci", "YQ==", "YQ="),
    *([], [None], [0], [1, 1], ["x"], ["*"], [{}], {}, {"x": "y"}, {"_note": 1}),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with each of its keys; of lists the first member alone."""
    if isinstance(value, dict):
        return [(value, key) for key in value] + [place for key in value for place in places(value[key])]
    return [(value, 0), *places(value[0])] if isinstance(value, list) and value else []


def problems(one: Format, document: Document) -> list[str]:
    data = toml_text(document) if one.name in TOML else json.dumps(document)
    try:
        one.parse(data.encode())
    except BadInput as error:
        return [str(problem) for problem in error.problems]
    return []


def expressible(one: Format, found: list[str]) -> list[str]:
    """Problems of the reader that a schema can express."""
    return [text for text in found if not any(re.search(rule.problem, text) for rule in one.beyond)]


def assert_same(one: Format, document: Document, what: object) -> None:
    """What the schema accepts has no problem that it can express; what it refuses has some problem."""
    found = problems(one, document)
    if VALIDATORS[one.name].is_valid(document):
        assert expressible(one, found) == [], what
    else:
        errors = [error.message for error in VALIDATORS[one.name].iter_errors(document)]
        assert found, (what, errors)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_valid(name: str) -> None:
    VALIDATORS[name].validate(examples()[name])
    assert problems(BY_NAME[name], examples()[name]) == []


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_schema_is_a_schema(one: Format) -> None:
    Draft202012Validator.check_schema(one.schema)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_has_every_key_of_the_schema(name: str) -> None:
    """So that the other tests reach all of them."""
    used = {key for _, key in places(examples()[name]) if isinstance(key, str)}
    assert set(keys(VALIDATORS[name].schema)) - used == {"manufdata": {"Kind", "IPMI", "FRU", "ME", "SDR"}}.get(
        name, set()
    )


def keys(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [key for one in schema for key in keys(one)]
    if not isinstance(schema, dict):
        return []
    own = list(schema["properties"]) if isinstance(schema.get("properties"), dict) else []
    return own + [key for name, one in schema.items() if name not in ("default", "enum") for key in keys(one)]


def distinct(name: str) -> list[int]:
    """Indexes of places of the example, one of each key of each kind of object."""
    seen: dict[tuple[object, ...], int] = {}
    for index, (container, key) in enumerate(places(examples()[name])):
        seen.setdefault((key, *(container if isinstance(container, dict) else ("list", repr(container[:1])))), index)
    return list(seen.values())


def values_for(name: str, key: object, value: Any) -> list[Any]:
    """What distinguishes types, and others of the type that an example has, up to the limits of the schema."""
    others = [*VALUES, *limits(VALIDATORS[name].schema, key)] if isinstance(value, int) else VALUES
    return [*TYPES, *(other for other in others if type(other) is type(value))]


def limits(schema: Any, key: object, inside: bool = False) -> set[int]:
    """Numbers at both sides of each limit of a property with this key."""
    if isinstance(schema, list):
        return {number for one in schema for number in limits(one, key, inside)}
    if not isinstance(schema, dict):
        return set()
    bounds = [schema[word] for word in ("minimum", "maximum") if inside and isinstance(schema.get(word), (int, float))]
    own = {bound + step for bound in bounds for step in (-1, 0, 1)}
    return own.union(*(limits(one, key, inside or name == key) for name, one in schema.items()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_another_value_anywhere_is_judged_alike(name: str, every: bool) -> None:
    for index in distinct(name):
        holder, place = places(examples()[name])[index]
        for value in VALUES if every else values_for(name, place, holder[place]):
            document = deepcopy(examples()[name])
            container, key = places(document)[index]
            container[key] = value
            if name not in TOML or has_toml(document):
                assert_same(BY_NAME[name], document, (key, value))


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_value_is_judged_alike(name: str) -> None:
    for index in distinct(name):
        document = deepcopy(examples()[name])
        container, key = places(document)[index]
        del container[key]
        assert_same(BY_NAME[name], document, key)


@pytest.mark.parametrize("name", NAMES)
def test_further_keys_and_comments_are_judged_alike(name: str) -> None:
    for index in distinct(name):
        for key in ("further", "_comment"):
            document = deepcopy(examples()[name])
            container, _ = places(document)[index]
            if isinstance(container, dict):
                container[key] = "x"
                assert_same(BY_NAME[name], document, (key, container))


texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.text("0123456789abcdefABCDEF:x. -/_@[]{}", max_size=20),
    st.from_regex(r"\A(0[xX])?[0-9a-fA-F]{1,9}\Z"),
)
values = st.sampled_from(VALUES) | st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.integers(-2, 300) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_any_value_is_judged_alike(name: str, data: st.DataObject) -> None:
    document = deepcopy(examples()[name])
    container, key = data.draw(st.sampled_from(places(document)))
    container[key] = data.draw(values)
    if name not in TOML or has_toml(document):
        assert_same(BY_NAME[name], document, (key, container[key]))


def has_toml(value: Any) -> bool:
    """Whether TOML has such a document: it has no null, and numbers of 64 bits."""
    if isinstance(value, dict):
        return all(map(has_toml, value.values()))
    if isinstance(value, list):
        return all(map(has_toml, value))
    return value is not None and not (isinstance(value, int) and not -(2**63) <= value < 2**63)


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_beyond_a_schema_is_needed(name: str) -> None:
    """For each there is a document that the schema accepts, and that the reader refuses for this rule alone."""
    one = BY_NAME[name]
    needed = set()
    for document in counterexamples().get(name, []):
        assert VALIDATORS[name].is_valid(document), [e.message for e in VALIDATORS[name].iter_errors(document)]
        found = problems(one, document)
        rules = {rule.text for text in found for rule in one.beyond if re.search(rule.problem, text)}
        assert found
        assert expressible(one, found) == []
        needed |= rules
    assert needed == {rule.text for rule in one.beyond}
