"""Pictures in the documents are those of today's screens: see pictures.py."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gprov.domain.display.render import render
from gprov.domain.display.screen import CONSOLE
from gprov.domain.formats.lcd.models import Model
from tests.unit.display.pictures import FOLDER, SCENES, face_of, picture, picture_path

DOCUMENT = Path(__file__).parents[3] / "docs/reference/displays.md"
TEXT = "{http://www.w3.org/2000/svg}text"


@pytest.mark.parametrize("name", SCENES)
def test_pictures_are_those_that_the_script_makes(name: str) -> None:
    assert picture_path(name).read_text() == picture(SCENES[name])


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_has_every_character_of_its_screens(name: str) -> None:
    root = ElementTree.fromstring(picture_path(name).read_text())
    drawn = "".join(text.text or "" for text in root.iter(TEXT) if text.get("text-anchor"))
    shown = [line for model in Model for line in face_of(SCENES[name], model).lines]
    if "console" in [text.text for text in root.iter(TEXT)]:
        shown += render(SCENES[name], CONSOLE, 0).lines
    assert sorted(drawn) == sorted("".join(shown).replace(" ", ""))


def test_the_document_shows_each_picture() -> None:
    """None is left over, and none is missing."""
    linked = re.findall(r"!\[[^]]+\]\(\.\./pictures/([\w.-]+)\)", DOCUMENT.read_text())
    assert linked == [picture_path(name).name for name in SCENES]
    assert {path.name for path in FOLDER.glob("*.svg")} == set(linked)
