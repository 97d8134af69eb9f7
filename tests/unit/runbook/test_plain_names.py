"""Placeholders have names for readers."""

from __future__ import annotations

import re

import pytest

from gprov.apps.host.runbook.entries import shown_texts
from tools.shown_texts.plain_names import TERMS, plain
from tools.shown_texts.scripts import NAMES


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("{node}: cannot mount: {text}", "{device}: cannot mount: {reason}"),
        ("{what}: is {text}", "{subject}: is {text}"),
        ("has {data} bytes, is {data}", "has {number} bytes, is {found}"),
        ("at most {max_anything}", "at most {number}"),
        ("a {{brace}} of {path}", "a {{brace}} of {file}"),
        ("{{{{.{part}}}}} is not available", "{{{{.{part}}}}} is not available"),
    ],
)
def test_names(template: str, named: str) -> None:
    assert plain(template) == named


def test_a_value_without_a_name_is_refused() -> None:
    with pytest.raises(KeyError):
        plain("the thing {sprog2} is gone")


def test_names_of_the_runbook_are_terms() -> None:
    """Not those of the source."""
    plain_texts = (re.sub(r"\{\{|\}\}", "", template) for template in shown_texts())
    named = {name for template in plain_texts for name in re.findall(r"\{(\w+)\}", template)}
    assert named <= {*TERMS.values(), *NAMES.values()}
    assert not any("_" in name for name in named)
