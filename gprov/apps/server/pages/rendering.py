"""Templates, and what every page has around its own content: navigation, the person who is signed in, time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from gprov.apps.server.pages.assets import Assets
from gprov.apps.server.pages.headers import PAGE_HEADERS
from gprov.domain.factory.view.addresses import unit_path, with_query
from gprov.domain.factory.view.time_words import age_text, coarse_text, duration_text, iso_text, utc_text

# Seconds between renewals of a page that shows live units, in a browser without JavaScript.
REFRESH_SECONDS = 15


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person of a request. ``role``: in words; ``may``: names of what they may do (``NavigationItem.need``)."""

    name: str
    role: str
    may: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UnitAction:
    """A link on the page of a unit, to ``path`` with the serial number as query, for people who may do that."""

    label: str
    path: str
    need: str

    def url(self, serial: str) -> str:
        return with_query(self.path, serial=serial)


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A link for everyone, or with ``need`` for people who may do that."""

    label: str
    path: str
    need: str = ""

    def shown_to(self, person: SignedIn | None) -> bool:
        return not self.need or (person is not None and self.need in person.may)


NAVIGATION = (
    NavigationItem("Units", "/recent/"),
    NavigationItem("Wall screen", "/line/"),
    NavigationItem("Figures", "/figures/"),
    NavigationItem("Meanings", "/meanings/"),
)


@dataclass(frozen=True, slots=True)
class Live:
    """``topic``: of the live updates of a page (``LiveFeed``); ``version``: of what it shows, read before that."""

    topic: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What ``base.html`` needs. ``live``: None for a page that stays as it is."""

    path: str
    navigation: Sequence[NavigationItem]
    person: SignedIn | None
    now_ns: int
    version: str
    live: Live | None
    notice: str
    refresh_seconds: int = REFRESH_SECONDS


class Pages:
    """``now``: the server's clock, UTC, ns. ``navigation``: links after those of the pages themselves. ``packages``:
    further packages with a folder ``templates``; theirs may extend ``base.html`` and import ``macros.html``.
    ``unit_actions``: what people may do with a unit, on its page. ``notice``: stands on each page."""

    def __init__(
        self,
        now: Callable[[], int],
        navigation: Sequence[NavigationItem] = (),
        packages: Sequence[str] = (),
        unit_actions: Sequence[UnitAction] = (),
        notice: str = "",
    ) -> None:
        self.now = now
        self.assets = Assets()
        self._navigation = (*NAVIGATION, *navigation)
        self._version = version("gprov")
        self._unit_actions = unit_actions
        self._notice = notice
        self._environment = _environment(("gprov.apps.server.pages", *packages))
        self._environment.globals["asset"] = self.assets.url

    def reply(
        self, request: Request, template: str, *, status: int = 200, live: Live | None = None, **values: object
    ) -> Response:
        """The page, with ``values`` as variables of the template. The person is ``request.state.person``, a
        ``SignedIn``, where it is set."""
        person = person_of(request)
        frame = Frame(
            path=request.url.path,
            navigation=[item for item in self._navigation if item.shown_to(person)],
            person=person,
            now_ns=self.now(),
            version=self._version,
            live=live,
            notice=self._notice,
        )
        text = self._environment.get_template(template).render(frame=frame, **values)
        return HTMLResponse(text, status, headers=PAGE_HEADERS)

    def actions(self, request: Request) -> Sequence[UnitAction]:
        """What the person of this request may do with a unit."""
        person = person_of(request)
        return [action for action in self._unit_actions if person is not None and action.need in person.may]


def person_of(request: Request) -> SignedIn | None:
    person = getattr(request.state, "person", None)
    return person if isinstance(person, SignedIn) else None


def _environment(packages: Sequence[str]) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(unit_path=unit_path, with_query=with_query)
    environment.filters.update(utc=utc_text, iso=iso_text, duration=duration_text, coarse=coarse_text, age=age_text)
    return environment
