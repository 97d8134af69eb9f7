"""Pictures of all views at three sizes, as recorded: see golden_screens.py."""

from __future__ import annotations

from typing import get_args

import pytest

from gprov.domain.display.views import View
from tests.unit.display.golden_screens import FOLDER, GEOMETRIES, VIEWS, golden_path, golden_text


@pytest.mark.parametrize("size", GEOMETRIES)
@pytest.mark.parametrize("name", VIEWS)
def test_pictures_are_as_recorded(name: str, size: str) -> None:
    assert golden_text(VIEWS[name], GEOMETRIES[size]) == golden_path(name, size).read_text()


def test_every_kind_of_view_is_recorded() -> None:
    assert {type(view) for view in VIEWS.values()} == set(get_args(View))


def test_no_record_is_left_over() -> None:
    assert set(FOLDER.iterdir()) == {golden_path(name, size) for name in VIEWS for size in GEOMETRIES}
