"""Events of a unit's log as lines of text."""

from __future__ import annotations

import json

from gprov.apps.server.store.rows import SERVER_TYPE
from gprov.domain.errors import Problem
from gprov.domain.factory.events import decode_body, describe
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json


def event_line(kind: str, body: str) -> str:
    """``body``: as it is stored."""
    fields: dict[str, Json] = json.loads(body)
    if kind == SERVER_TYPE:
        return str(fields["text"])
    problems: list[Problem] = []
    return describe(decode_body(JsonObject({"type": kind, **fields}, "$", problems)))


def stored_form(text: str) -> str:
    """How a part of a text stands in a stored body."""
    return json.dumps(text)[1:-1]
