"""docs/explanation/erase.md states what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gprov.domain.erase.ata.password import ERASE_PASSWORD
from gprov.domain.erase.choose import preference
from gprov.domain.erase.request import EraseRequest
from gprov.domain.erase.request_text import parse_request
from gprov.domain.erase.techniques import TECHNIQUES, Technique
from gprov.domain.errors import BadInput

TEXT = (Path(__file__).parents[3] / "docs/explanation/erase.md").read_text()
OPTIONS = re.findall(r"^\| `([a-z-]+)` \| ((?:`[a-z-]+`(?:, )?)+|[^|`]+) \|", TEXT, re.MULTILINE)


def rows() -> list[list[str]]:
    values = {technique.value for technique in Technique}
    lines = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [line for line in cells if line[0].strip("`") in values]


def test_the_table_of_techniques_is_that_of_the_code_in_the_order_of_choice() -> None:
    facts = [(technique, TECHNIQUES[technique]) for technique in sorted(TECHNIQUES, key=preference)]
    assert rows() == [
        [f"`{technique.value}`", one.name, one.level.value, "yes" if one.opt_in else "", one.basis]
        for technique, one in facts
    ]


@pytest.mark.parametrize(
    "key",
    [
        "level",
        "on-failure",
        "scheme",
        "read-back",
        "keep-raid-metadata",
        "clear-uefi-variables",
        "clear-tpm",
        "unrecorded",
    ],
)
def test_the_values_of_each_option_are_all_that_are_accepted(key: str) -> None:
    stated = re.findall(r"`([a-z-]+)`", dict(OPTIONS)[key])
    with pytest.raises(BadInput) as caught:
        parse_request(f"{key}:other", EraseRequest())
    accepted = str(caught.value).partition("is none of ")[2].split(", ")
    assert sorted(stated) == sorted(word.strip() for word in accepted)
    default = parse_request(f"{key}:{stated[0]}", EraseRequest())
    assert default == EraseRequest() or key == "keep-raid-metadata"


def test_the_password_is_that_of_the_code() -> None:
    assert f"--security-unlock {ERASE_PASSWORD} " in TEXT
