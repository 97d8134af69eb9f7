"""Which person or program a request is of, and what roles routes need."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gprov.apps.server.access.sign_in import Person, SignIn
from gprov.apps.server.pages.rendering import SignedIn
from gprov.domain.factory.accounts import Role

_COOKIE = "gprov-session"
SIGN_IN = "/sign-in/"
_API = "/api/"
_BEARER = "bearer "
# An address of this server: no other host, and nothing that a header could end at.
_OWN = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")
_ISOLATED = "this server has no accounts (isolated network): use `gprov server` on its host"
# Of a request that no page of another site caused. Absent: no browser, or an old one.
_OWN_SITE = ("same-origin", "none", None)


class Guard:
    """``strict``: people have accounts. ``encrypted``: browsers reach the server through TLS only."""

    def __init__(self, signing: SignIn, *, strict: bool, encrypted: bool) -> None:
        self._signing = signing
        self._strict = strict
        self._encrypted = encrypted
        # With this prefix, a browser takes the cookie from no other server on this host, and no plain connection.
        self.cookie = f"__Host-{_COOKIE}" if encrypted else _COOKIE

    def require(self, role: Role) -> Any:
        """A dependency of routes. In an isolated network all clients may view, and none may do more."""
        return Depends(self._checking(role))

    def _checking(self, role: Role) -> Callable[[Request], None]:
        def check(request: Request) -> None:
            if not self._strict:
                if role is not Role.VIEW:
                    raise HTTPException(403, _ISOLATED)
                return
            person = self.identify(request)
            if person is None:
                raise _unsigned(request)
            if not person.role.includes(role):
                raise HTTPException(403, f"this needs the role {role.value}; {person.name} has {person.role.value}")

        return check

    def identify(self, request: Request) -> Person | None:
        """Also for the pages: ``request.state.person``."""
        authorization = request.headers.get("authorization", "")
        if authorization[: len(_BEARER)].lower() == _BEARER:
            person = self._signing.program(authorization[len(_BEARER) :].strip())
        else:
            person = self._signing.person(request.cookies.get(self.cookie, ""))
        if person is not None:
            request.state.account = person
            request.state.person = SignedIn(person.name, person.role.value, person.role.may)
        return person

    def set_cookie(self, response: Response, token: str) -> None:
        response.set_cookie(self.cookie, token, path="/", secure=self._encrypted, httponly=True, samesite="strict")

    def remove_cookie(self, response: Response) -> None:
        response.delete_cookie(self.cookie, path="/", secure=self._encrypted, httponly=True, samesite="strict")


def account_of(request: Request) -> Person:
    """Of a route with ``require``. Raises HTTPException in an isolated network."""
    person = getattr(request.state, "account", None)
    if not isinstance(person, Person):
        raise HTTPException(403, _ISOLATED)
    return person


def check_form(request: Request, token: str) -> Person:
    """The person who sent a form of our own pages. Raises HTTPException for a form of another site."""
    person = account_of(request)
    expected = person.form_token.encode()
    if not expected or not hmac.compare_digest(token.encode("utf-8", "replace"), expected):
        raise HTTPException(403, "this form was not made by this server for you: open the page again")
    require_own_site(request)
    return person


def require_own_site(request: Request) -> None:
    """Raises HTTPException if a page of another site caused the request."""
    if request.headers.get("sec-fetch-site") not in _OWN_SITE:
        raise HTTPException(403, "forms of other sites are refused")


def own_address(text: str) -> str:
    """Where to go after signing in: an address of this server, or the first page."""
    return text if _OWN.fullmatch(text) else "/"


def _unsigned(request: Request) -> HTTPException:
    if request.url.path.startswith(_API):
        return HTTPException(401, "sign in, or send a token: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
    back = ""
    if request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        back = f"?next={quote(request.url.path + query, safe='')}"
    return HTTPException(303, "sign in", {"Location": f"{SIGN_IN}{back}"})
