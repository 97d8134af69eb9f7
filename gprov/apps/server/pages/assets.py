"""Style sheet and scripts, from the package. They are read once, at the start."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gprov.apps.server.pages.headers import ASSET_HEADERS

STATIC = "/static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str
    digest: str


class Assets:
    def __init__(self) -> None:
        folder = files("gprov.apps.server.pages") / "static"
        self._assets: Mapping[str, Asset] = {
            each.name: _asset(each.name, each.read_bytes()) for each in folder.iterdir() if _suffix(each.name) in _TYPES
        }

    def url(self, name: str) -> str:
        """With the digest of the content: a browser may keep it for ever."""
        return f"{STATIC}/{name}?v={self._assets[name].digest}"

    def router(self) -> APIRouter:
        """For everyone, signed in or not: nothing in it is about units."""
        router = APIRouter(include_in_schema=False)

        @router.api_route(f"{STATIC}/{{name}}", methods=["GET", "HEAD"])
        def asset(name: str) -> Response:
            found = self._assets.get(name)
            if found is None:
                raise HTTPException(404, "no such file")
            return Response(found.content, media_type=found.media_type, headers=ASSET_HEADERS)

        return router


def _asset(name: str, content: bytes) -> Asset:
    return Asset(content, _TYPES[_suffix(name)], hashlib.sha256(content).hexdigest()[:12])


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
