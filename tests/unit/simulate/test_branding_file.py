"""Branding files: JSON and TOML, every problem at once."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.branding_file import parse_branding
from gprov.domain.errors import BadInput

NAMES = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=2)
BRANDINGS = st.builds(
    Branding,
    image_prefix=NAMES,
    recovery_label=NAMES,
    esp_label=NAMES,
    flag_file=NAMES,
    config_folder=NAMES.map("/{}".format),
    normal_entry=NAMES,
)


@given(BRANDINGS)
def test_what_is_written_reads_the_same(branding: Branding) -> None:
    given_names = asdict(branding)
    assert parse_branding("b.json", json.dumps(given_names).encode()) == branding
    table = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in given_names.items())
    assert parse_branding("B.TOML", table.encode()) == branding


def test_what_is_not_given_keeps_its_default() -> None:
    assert parse_branding("x", b"{}") == Branding()
    assert parse_branding("x", b'{"_comment": 1, "admin": "boss"}') == Branding(admin="boss")
    assert parse_branding("x.toml", b"") == Branding()


BAD = {
    "image_prefix": "a/b",
    "recovery_label": "seventeen letters",
    "esp_label": "twelve bytes",
    "flag_file": "",
    "boot_kernel": 7,
    "config_folder": "etc/x",
    "mac_prefix": "56:78:9g",
    "admin": "a\nb",
    "erase_entry": " x",
    "image_prefx": "ACME.",
}


def test_all_problems_with_their_places() -> None:
    with pytest.raises(BadInput) as refused:
        parse_branding("b.json", json.dumps(BAD).encode())
    assert {problem.place for problem in refused.value.problems} == {f"$.{name}" for name in BAD}
    assert len(refused.value.problems) == len(BAD)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config_folder", "/../../run/x"),
        ("config_folder", "/a/./b"),
        ("config_folder", "/"),
        ("config_folder", "/a//b"),
        ("real_init", "/sbin/../init"),
        ("log_folder", ".."),
        ("boot_kernel", ".."),
        ("flag_file", "."),
        ("recovery_label", "a/b"),
        ("admin", "a:b c"),
        ("admin", "-a"),
        ("environment_prefix", "="),
        ("hostname_prefix", "x y #"),
    ],
)
def test_names_that_would_lead_elsewhere(name: str, text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_branding("b.json", json.dumps({name: text}).encode())
    assert [problem.place for problem in refused.value.problems] == [f"$.{name}"]


@pytest.mark.parametrize(("name", "data"), [("x", b"[]"), ("x", b"\xff"), ("x.toml", b"a"), ("x.toml", b"\xff")])
def test_what_is_no_table(name: str, data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_branding(name, data)


KEYS = st.sampled_from([field.name for field in fields(Branding)]) | st.text(max_size=3)
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(KEYS, VALUES, max_size=4).map(json.dumps).map(str.encode) | st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for name in ("x.json", "x.toml"):
        with suppress(BadInput):
            parse_branding(name, data)
