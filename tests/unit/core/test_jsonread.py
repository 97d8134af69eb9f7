from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.json.object import MOST_PROBLEMS, JsonObject
from gprov.domain.formats.json.reading import finish, read_object


def read(value: object) -> JsonObject:
    return read_object("file", json.dumps(value).encode())


def problems(root: JsonObject) -> list[str]:
    return [str(problem) for problem in root.problems]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "file: line 1 column 1: is not JSON"),
        (b"{", "line 1 column 2: is not JSON"),
        (b'{"a": 1,\n "b": }', "line 2 column 7: is not JSON"),
        (b"\xff", "byte 0: is not UTF-8"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "$: is not JSON"),
        (b"[" * 100_000, "$: is nested too deeply"),
        (b"[]", "$: must be an object, is a list"),
        (b"null", "$: must be an object, is null"),
        (b'"text"', "$: must be an object, is text 'text'"),
        (b"5", "$: must be an object, is number 5"),
        (b"true", "$: must be an object, is true"),
    ],
)
def test_what_is_no_json_object(data: bytes, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_object("file", data)
    assert said in str(caught.value)


def test_files_of_other_editors_and_whole_surrogate_pairs_are_read() -> None:
    assert read_object("file", b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}').text("a") == "\N{GRINNING FACE}"


def test_keys_match_exactly_or_else_without_case() -> None:
    root = read({"Name": "exact", "Other": "x"})
    assert (root.text("Name"), root.text("oTHER")) == ("exact", "x")
    assert root.has("OTHER")
    assert not root.has("nothing")
    assert problems(root) == []


def test_a_key_that_stands_in_two_spellings() -> None:
    root = read({"list": [{"NAME": "upper", "name": "lower", "Unread": 1, "unread": 2}]})
    [inner] = root.objects("list")
    assert inner.has("Name")
    assert problems(root) == []
    assert (inner.text("name"), inner.text("name")) == ("lower", "lower")
    assert problems(root) == ["$.list[0].name: stands here as 'name' and 'NAME'"]


def test_comments_are_no_keys_and_may_stand_twice() -> None:
    root = read_object("file", b'{"_": 1, "_": 2, "a": "b"}')
    assert root.keys() == ("a",)
    assert problems(root) == []


def test_a_key_that_is_no_text_is_shown_as_its_escapes() -> None:
    root = read_object("x", rb'{"\ud800": {"\n": 1, "\n": 2}, "\ud800": {"b": 1, "b": 2}}')
    assert problems(root) == [r"$.'\ud800': stands twice in one object", r"$.'\ud800'.b: stands twice in one object"]


def test_a_key_that_stands_twice() -> None:
    root = read_object("file", b'{"x": [0, {"c": {"a": 1}}, {"b": 1, "b": 2}], "x ": {}, "z": 1, "z": 2}')
    assert problems(root) == ["$.z: stands twice in one object", "$.x[2].b: stands twice in one object"]
    with pytest.raises(BadInput):
        finish("file", root, None)


def test_absent_values_have_defaults() -> None:
    root = read({"null": None})
    for key in ("nothing", "null"):
        assert root.text(key, "default") == "default"
        assert root.integer(key, 5) == 5
        assert root.boolean(key, True)
        assert root.one_of(key, {"a": 1}, 2) == 2
        assert root.object(key) is None
        assert not root.objects(key)
        assert not root.texts(key)
        assert not root.integers(key)
        assert not root.lists_of_objects(key)
        assert root.string_map(key) == {}
    assert problems(root) == []


def test_absent_values_that_are_required_are_all_noted() -> None:
    root = read({"e": "  "})
    root.text("a", required=True)
    root.integer("b", required=True)
    root.one_of("c", {"x": 1}, 1, required=True)
    root.object("d", required=True)
    root.text("e", required=True)
    root.objects("f", required=True)
    assert problems(root) == [
        "$.a: is missing",
        "$.b: is missing",
        "$.c: is missing",
        "$.d: is missing",
        "$.e: must not be empty",
        "$.f: is missing",
    ]


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, "true"), (False, "false"), (5, "number 5"), ("x", "text 'x'"), ({}, "an object"), ([], "a list")],
)
def test_wrong_types_are_noted_with_what_they_are(value: object, kind: str) -> None:
    root = read({"a": value})
    root.text("a")
    root.integer("a")
    root.boolean("a")
    root.one_of("a", {"known": 1}, 1)
    root.object("a")
    root.objects("a")
    wrong = {str(problem) for problem in root.problems if kind in str(problem)}
    assert len(root.problems) == 5
    assert len(wrong) >= 4


def test_whole_numbers() -> None:
    root = read({"a": 5.0, "b": 5.5, "c": 1e300, "d": True, "e": "5", "f": 7})
    assert root.integer("a") == 5
    assert [root.integer(key, -1) for key in "bcde"] == [-1] * 4
    assert len(root.problems) == 4
    assert root.integer("f", minimum=7, maximum=7) == 7
    for least, most in ((8, None), (None, 6), (1, 6)):
        root.integer("f", minimum=least, maximum=most)
    assert problems(root)[4:] == [
        "$.f: must be at least 8, is 7",
        "$.f: must be at most 6, is 7",
        "$.f: must be 1..6, is 7",
    ]


def test_words() -> None:
    root = read({"a": "RED", "b": "blue"})
    assert root.one_of("a", {"red": 1, "green": 2}, 0) == 1
    assert root.one_of("b", {"red": 1, "green": 2}, 0) == 0
    assert problems(root) == ["$.b: unknown value 'blue'; known: red, green"]


def test_lists_note_each_wrong_item_with_its_place() -> None:
    root = read({"a": ["x", 1, None], "b": [1, "x", 2.0], "c": [{}, 5], "d": [[{}, 1], 2]})
    assert root.texts("a") == ("x",)
    assert root.integers("b") == (1, 2)
    assert len(root.objects("c")) == 1
    assert [len(inner) for inner in root.lists_of_objects("d")] == [1]
    assert [problem.place for problem in root.problems] == [
        "$.a[1]",
        "$.a[2]",
        "$.b[1]",
        "$.c[1]",
        "$.d[0][1]",
        "$.d[1]",
    ]


def test_problems_deep_inside_have_their_whole_path() -> None:
    root = read({"a": {"b": [{"c": 5}]}})
    inner = root.object("a")
    assert inner is not None
    inner.objects("b")[0].text("c")
    inner.objects("b")[0].problem("", "is odd")
    assert problems(root) == ["$.a.b[0].c: must be text, is number 5", "$.a.b[0]: is odd"]


def test_maps_of_text() -> None:
    root = read({"a": {"x": "1", "_c": "2", "y": 3}})
    assert root.string_map("a") == {"x": "1", "y": ""}
    assert problems(root) == ["$.a.y: must be text, is number 3"]


def test_text_that_no_file_takes_is_none() -> None:
    """A program may write half of a surrogate pair as an escape; Python could not print what it read."""
    root = read_object("file", rb'{"a": "x\ud800", "b": ["\udfff", "y"], "c": {"\udc00": "1", "d": "2"}}')
    assert root.text("a", "default") == "default"
    assert root.texts("b") == ("y",)
    assert root.string_map("c") == {"d": "2"}
    assert [problem.place for problem in root.problems] == ["$.a", "$.b[0]", "$.c"]
    "\n".join(problems(root)).encode()


def test_what_has_no_problem_is_handed_on() -> None:
    root = read({})
    assert finish("file", root, 5) == 5


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps({"a": text}).encode()))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_but_bad_input(data: bytes) -> None:
    try:
        root = read_object("file", data)
    except BadInput as error:
        assert error.problems  # noqa: PT017 - any outcome is right, but an error without a reason
        return
    root.text("a")
    root.objects("a")


def test_a_document_has_no_more_problems_than_are_of_use() -> None:
    doubled = read_object("file", ("{" + ",".join(f'"k{n}": 1, "k{n}": 2' for n in range(300)) + "}").encode())
    assert len(problems(doubled)) == MOST_PROBLEMS
    root = read({"a": [0] * 1000, "b": [0] * 1000})
    assert root.objects("a") == ()
    assert len(root.problems) == MOST_PROBLEMS
    assert root.texts("b") == ()
    with pytest.raises(BadInput) as refused:
        finish("file", root, None)
    assert refused.value.problems == tuple(root.problems[:MOST_PROBLEMS])


def test_a_key_that_stands_often_is_one_problem() -> None:
    assert problems(read_object("file", b'{"a": 1, "a": 2, "a": 3}')) == ["$.a: stands twice in one object"]


def test_of_a_long_list_only_the_wanted_members_are_read() -> None:
    root = read({"List": [{}, {}, 0, 0], "t": ["a", "b", 0]})
    assert root.count("list") == 4
    assert root.count("nothing") == 0
    assert [inner.path for inner in root.objects("list", most=2)] == ["$.list[0]", "$.list[1]"]
    assert root.texts("t", most=2) == ("a", "b")
    assert problems(root) == []
