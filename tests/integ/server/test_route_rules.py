"""Every route of the server has a rule: who may use it. A new route fails here until it has one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from gprov.domain.factory.accounts import Role
from gprov.domain.factory.requests import API
from gprov.domain.factory.settings.access import AccessMode
from gprov.domain.unit.credentials import Secret
from tests.integ.server.test_people import PASSWORD, ROOT, Browser, Factory, signed_in
from tests.integ.server.test_thefts import SERIAL

# For everyone who reaches the server: nothing in them is of a unit, or it is for machines that have no accounts.
OPEN = {
    "GET /boot.ipxe",
    "GET /ca.pem",
    "GET /health",
    "GET /health/live",
    "GET /metrics",
    "GET /openapi.json",
    "GET /sign-in/",
    "GET /static/{name}",
    "MOUNT /files",
    f"GET {API}/time",
    "POST /sign-in/",
}
# For units: what sessions may do is the subject of test_thefts.
OF_UNITS = {
    f"POST {API}/{path}"
    for path in (
        "code-name",
        "credentials",
        "document",
        "erasure",
        "events",
        "macs",
        "proof",
        "runs",
        "start",
        "state",
    )
}
# For people; all others need the role to view.
NEED = {
    "GET /accounts/": Role.MANAGE,
    "GET /audit/": Role.OPERATE,
    "GET /unit-access/": Role.OPERATE,
    "POST /accounts/": Role.MANAGE,
    "POST /accounts/token/": Role.MANAGE,
    "POST /unit-access/change/": Role.OPERATE,
    "POST /unit-access/reveal/": Role.REVEAL,
    "POST /unit-access/token/": Role.OPERATE,
}
POSTS_OF_VIEWERS = {"POST /account/", "POST /sign-out/", "POST /sign-out-everywhere/"}
# It does not end by itself.
ENDLESS = "GET /live/"


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    made = Factory(tmp_path)
    with closing(made.database):
        for role in reversed(Role):
            made.accounts.add(f"{role.value}er", role, Secret(PASSWORD), ROOT)
        yield made


def routes(factory: Factory) -> dict[str, str]:
    """Method and path of each, and an address of it."""
    found: dict[str, str] = {}
    for route in iter_route_contexts(factory.app.routes):
        path, methods = route.path, route.methods
        if isinstance(route.original_route, Mount):
            found[f"MOUNT {path}"] = f"{path}/x"
            continue
        assert path is not None
        assert methods, f"{route}: a kind of route that this test does not know"
        for method in methods - {"HEAD"}:
            address = re.sub(r"\{[^}]*\}", "1", path)
            found[f"{method} {path}"] = f"{address}?serial={SERIAL.replace(' ', '+')}&name=x"
    return found


def of_people(factory: Factory) -> dict[str, str]:
    found = routes(factory)
    unknown = {name for name in found if not name.startswith(("GET ", "POST ", "MOUNT "))}
    assert not unknown, "a method that has no rule"
    return {name: address for name, address in found.items() if name not in OPEN | OF_UNITS}


def test_the_rules_name_routes_that_there_are(factory: Factory) -> None:
    assert (OPEN | OF_UNITS | NEED.keys() | POSTS_OF_VIEWERS | {ENDLESS}) - routes(factory).keys() <= {"GET /ca.pem"}
    posts = {name for name in of_people(factory) if name.startswith("POST ")}
    assert posts == {name for name in NEED if name.startswith("POST ")} | POSTS_OF_VIEWERS


def test_who_has_not_signed_in_is_refused(factory: Factory) -> None:
    browser = Browser(factory)
    for name, address in of_people(factory).items():
        reply = browser.ask(name.partition(" ")[0], address)
        assert reply.status_code == (401 if address.startswith("/api/") else 303), name
        assert SERIAL not in reply.text, name


def test_each_role_may_do_what_it_is_for(factory: Factory) -> None:
    """A form without its token is refused as well, with other words."""
    for role in Role:
        browser = signed_in(factory, f"{role.value}er")
        for name, address in of_people(factory).items():
            if name == ENDLESS:
                continue
            reply = browser.ask(name.partition(" ")[0], address)
            lacks_role = reply.status_code == 403 and "this needs the role" in reply.text
            assert lacks_role != role.includes(NEED.get(name, Role.VIEW)), (name, role)


@pytest.mark.parametrize("token", ["", "0" * 32])
def test_no_form_of_another_site_is_taken(factory: Factory, token: str) -> None:
    browser = signed_in(factory, "manageer")
    forms = {name: address for name, address in of_people(factory).items() if name.startswith("POST ")}
    assert forms
    for name, address in forms.items():
        reply = browser.ask("POST", address, {"token": token, "reason": "x", "what": "rotated", "password": "x"})
        assert reply.status_code == 403, name
        assert "was not made by this server" in reply.text, name


@pytest.fixture
def isolated(tmp_path: Path) -> Iterator[Factory]:
    made = Factory(tmp_path, AccessMode.ISOLATED)
    with closing(made.database):
        yield made


def test_an_isolated_network_views_and_does_nothing_else(isolated: Factory) -> None:
    browser = Browser(isolated)
    for name, address in of_people(isolated).items():
        if name == ENDLESS:
            continue
        method = name.partition(" ")[0]
        refused = browser.ask(method, address, {"token": "", "reason": "x"} if method == "POST" else None)
        closed = method == "POST" or name in NEED or name == "GET /account/"
        assert (refused.status_code == 403) == closed, name
