"""Views as pictures of a display of a certain model."""

from __future__ import annotations

from gprov.domain.display.render import next_change, render
from gprov.domain.display.screen import Geometry
from gprov.domain.display.views import View
from gprov.domain.formats.lcd.characters import encode
from gprov.domain.formats.lcd.commands import LEGEND_COLUMNS
from gprov.domain.formats.lcd.models import Model
from gprov.domain.lcd.keys import legend
from gprov.domain.lcd.picture import Picture


def draw(view: View, model: Model, seconds: float) -> Picture:
    """``seconds``: since the view was first shown."""
    screen = render(view, geometry_for(view, model), seconds)
    symbols = legend(view) if model is Model.CFA_631 else ()
    return Picture(tuple(map(encode, screen.lines)), screen.cursor, symbols)


def redraw_at(view: View, model: Model, seconds: float) -> float:
    """When the picture changes next, in seconds since the view was first shown."""
    return next_change(view, geometry_for(view, model), seconds)


def geometry_for(view: View, model: Model) -> Geometry:
    """Size of the text area: the legend of a CFA-631 covers its last columns."""
    covered = LEGEND_COLUMNS if model is Model.CFA_631 and legend(view) else 0
    return Geometry(model.columns - covered, model.rows)
