"""Differences as text and as the document that a unit delivers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.messages import encode
from gprov.domain.factory.requests import Document, Sender, decode
from gprov.domain.mfg.difference import Difference, difference_text, differences_json, read_differences

RAM = Difference("RamMegs", "32768 MiB (± 1 %)", "15994 MiB usable")
texts = st.text(st.characters(), max_size=20)


def test_a_difference_is_a_problem_with_both_values() -> None:
    assert Problem("RamMegs", "required 32768 MiB (± 1 %), detected 15994 MiB usable") == RAM
    assert difference_text(RAM) == "RamMegs\n  required: 32768 MiB (± 1 %)\n  detected: 15994 MiB usable"


def test_the_document() -> None:
    assert json.loads(differences_json("X-1", [RAM])) == {
        "DevCodeName": "X-1",
        "Differences": [{"Place": "RamMegs", "Required": "32768 MiB (± 1 %)", "Detected": "15994 MiB usable"}],
    }


@given(st.lists(st.builds(Difference, texts, texts, texts), max_size=4))
def test_what_a_unit_delivers_is_read_back(differences: list[Difference]) -> None:
    """Names of devices hold anything; the message to the server has to be valid all the same."""
    content = differences_json("X-1", differences)
    sent = Document(Sender("S1", "0" * 32), "differences.json", content, DocumentKind.DIFFERENCES)
    received = decode(Document, encode(sent)).content
    found = read_differences("differences.json", received)
    shown = [(one.place, one.required, one.detected) for one in found]
    assert shown == [
        tuple(text.encode(errors="replace").decode() for text in (one.place, one.required, one.detected))
        for one in differences
    ]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"Differences": [{"Place": 1}]}', '{"Differences": "x"}'])
def test_what_is_no_list_of_differences(content: str) -> None:
    with pytest.raises(BadInput):
        read_differences("differences.json", content)
