"""``/line/``: the wall screen. What needs a person first, then what waits, then what is at work; oldest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gprov.apps.server.pages.routing import PageServices, page_router
from gprov.apps.server.pages.unit_lines import TONES, UnitLine, unit_lines
from gprov.domain.factory.view.unit_words import UnitWord

# Units that are read for one page, and that it has room for.
MOST = 5000
ROOM = 14
_HEAD = (UnitWord.FAILED, UnitWord.SILENT, UnitWord.WAITING, UnitWord.RUNNING, UnitWord.RESTORED)
_HOUR_NS = 3600 * 10**9
_DONE = frozenset({UnitWord.RESTORED, UnitWord.STARTED})


@dataclass(frozen=True, slots=True)
class Tile:
    word: UnitWord
    count: int
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """``left_out``: units that are not done and have no room. ``cut``: more units have reported than are read."""

    tiles: Sequence[Tile]
    lines: Sequence[UnitLine]
    left_out: int
    window: str
    cut: bool


def line_routes(services: PageServices) -> APIRouter:
    router = page_router(services.pages)

    @router.get("/line/")
    def line(request: Request) -> Response:
        live = services.live()
        now_ns = services.pages.now()
        units = services.units.since(now_ns - services.line_ns, MOST)
        lines = unit_lines(units, now_ns, services.units.patience)
        view = line_view(lines, window=f"{services.line_ns / _HOUR_NS:g} hours", cut=len(units) == MOST)
        return services.pages.reply(request, "line.html", live=live, view=view)

    return router


def line_view(lines: Sequence[UnitLine], *, window: str, cut: bool) -> LineView:
    counts = Counter(line.word for line in lines)
    shown = [word for word in UnitWord if word in _HEAD or counts[word]]
    order = list(UnitWord)
    open_lines = [line for line in lines if line.word not in _DONE or line.needs_person]
    open_lines.sort(key=lambda line: (not line.needs_person, _rank(line, order), line.since_ns))
    return LineView(
        tiles=[Tile(word, counts[word], TONES[word]) for word in shown],
        lines=open_lines[:ROOM],
        left_out=len(open_lines[ROOM:]),
        window=window,
        cut=cut,
    )


def _rank(line: UnitLine, order: Sequence[UnitWord]) -> int:
    """Among those that need a person, the age decides."""
    return 0 if line.needs_person else order.index(line.word)
