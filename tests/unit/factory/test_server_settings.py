"""server.toml: keys, defaults, all problems with their places, and the document that lists the keys."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.factory.messages import members
from gprov.domain.factory.server_settings import ServerSettings, parse_settings, section_types
from gprov.domain.factory.settings.listen import Listen
from gprov.domain.factory.settings.work import Documents

DOCUMENT = Path(__file__).parents[3] / "docs/reference/server-settings.md"
NAMES = [(section, member.name) for section, kind in section_types().items() for member in members(kind)]


def problems(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_settings("server.toml", text.encode())
    return [str(problem) for problem in caught.value.problems]


def test_nothing_stated_is_the_default() -> None:
    assert parse_settings("x", b"") == ServerSettings()


def test_what_is_stated() -> None:
    settings = parse_settings(
        "x",
        b"""
        [listen]
        host = "FE80:0::1"
        names = ["Factory.Example", "10.1.0.1"]
        public_url = "http://factory.example:80/"
        [documents]
        hold_minutes = 1
        """,
    )
    assert settings.listen == Listen(
        host="fe80::1", names=("factory.example", "10.1.0.1"), public_url="http://factory.example:80"
    )
    assert settings.documents == Documents(1.0)
    assert settings.documents.hold_ns == 60 * 10**9


def test_all_problems_with_their_places() -> None:
    found = problems(
        """
        _note = "comments begin with a number sign"
        documents = 3
        [Tls]
        [listen]
        Host = "10.0.0.1"
        port = 65536
        names = ["x", "-", 3]
        public_url = "http://a/b"
        [credentials]
        minutes = nan
        [netboot]
        boot_arguments = "x ; ${mac}"
        [certificates]
        issuer = ""
        """
    )
    assert sorted(line.partition(":")[0] for line in found) == sorted(
        [
            "$._note",
            "$.Tls",
            "$.listen.Host",
            "$.listen.port",
            "$.listen.names[2]",
            "$.listen.names[1]",
            "$.listen.public_url",
            "$.documents",
            "$.credentials.minutes",
            "$.netboot.boot_arguments",
            "$.netboot.boot_arguments",
            "$.certificates.issuer",
        ]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[listen]\nprot = 1", "$.listen.prot: is not a key of this table; known: host, port, public_url, names"),
        ("[listen]\nport = true", "$.listen.port: must be a whole number, is true"),
        ("[documents]\nhold_minutes = 0", "$.documents.hold_minutes: must be 0.01..10080, is number 0"),
        ("[certificates]\nissuer = 'a\\nb'", None),
        ('[certificates]\nissuer = "a\\nb"', "$.certificates.issuer: must be one line without control characters"),
        ("[listen", "is not TOML: Expected ']' at the end of a table declaration (at end of document)"),
    ],
)
def test_problems(text: str, expected: str | None) -> None:
    if expected is None:
        parse_settings("x", text.encode())
    else:
        assert problems(text) == [expected]


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.datetimes() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def as_toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(f"\\U{ord(each):08x}" for each in value) + '"'
        case list():
            return f"[{', '.join(map(as_toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{as_toml(key)} = {as_toml(each)}" for key, each in value.items()) + "}"
        case int() | float():
            return repr(value)
        case _:
            return str(value)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
@example({})
def test_any_value_of_any_key_is_taken_or_is_a_problem_of_this_key(stated: dict[tuple[str, str], object]) -> None:
    tables: dict[str, list[str]] = {}
    for (section, key), value in stated.items():
        tables.setdefault(section, []).append(f"{key} = {as_toml(value)}")
    text = "\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in tables.items())
    assert set(tomllib.loads(text)) == set(tables)
    try:
        settings = parse_settings("server.toml", text.encode())
    except BadInput as error:
        strange = [
            problem
            for problem in error.problems
            if not any(problem.place.startswith(f"$.{section}.{key}") for section, key in stated)
        ]
    else:
        strange = []
        unstated = [name for name in NAMES if name not in stated]
        for section, key in unstated:
            assert getattr(getattr(settings, section), key) == getattr(getattr(ServerSettings(), section), key)
    assert strange == []


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_content_is_read_or_refused(data: bytes) -> None:
    with suppress(BadInput):
        parse_settings("server.toml", data)


@given(st.text(min_size=1, max_size=20), st.sampled_from(list(section_types())))
def test_no_other_key_is_taken(key: str, section: str) -> None:
    if (section, key) in NAMES or any("\ud800" <= each <= "\udfff" for each in key):
        return
    found = problems(f"[{section}]\n{as_toml(key)} = 1")
    assert len(found) == 1
    assert "is not a key of this table" in found[0]


def test_every_table_is_a_section_and_every_key_has_a_description() -> None:
    assert list(section_types()) == [each.name for each in fields(ServerSettings)]
    for section, kind in section_types().items():
        for member in members(kind):
            assert member.description, f"[{section}] {member.name} has no Doc"
            assert not member.required, f"[{section}] {member.name} has no default"


def test_the_document_lists_every_key() -> None:
    """If this fails: put the expected rows below the heading of their table in docs/reference/server-settings.md."""
    text = DOCUMENT.read_text()
    for section, kind in section_types().items():
        part = text.partition(f"\n## [{section}]\n")[2].partition("\n## ")[0]
        rows = [line for line in part.splitlines() if line.startswith("| `")]
        assert rows == [_row(kind(), member.name, member.description) for member in members(kind)], section


def _row(section: object, key: str, description: str) -> str:
    return f"| `{key}` | {_shown(getattr(section, key))} | {description} |"


def _shown(value: object) -> str:
    """As it is written in TOML."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{each}"' for each in value) + "]`"
    return f"{value}" if isinstance(value, int) else f'`"{getattr(value, "value", value)}"`'
