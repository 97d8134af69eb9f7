"""Events of a unit's log as lines of text, and parts of a text as they stand in the store."""

from __future__ import annotations

import json

from gprov.apps.server.store.rows import SERVER_TYPE
from gprov.domain.errors import Problem
from gprov.domain.factory.events import decode_body, describe
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json


def event_text(kind: str, fields: dict[str, Json]) -> str:
    """One line for a person. ``fields``: what the type adds."""
    if kind == SERVER_TYPE:
        return str(fields["text"])
    problems: list[Problem] = []
    return describe(decode_body(JsonObject({"type": kind, **fields}, "$", problems)))


def stored_text(kind: str, body: str) -> str:
    """``body``: as it is stored."""
    return event_text(kind, json.loads(body))


def short_text(kind: str, body: str) -> str:
    """For a person who looks at many units: progress in percent. ``body``: as it is stored."""
    fields = json.loads(body)
    if kind == "PROGRESS" and fields["total"]:
        return f"{fields['task']}: {100 * fields['done'] // fields['total']}%"
    return stored_text(kind, body)


def stored_form(text: str) -> str:
    """How a part of a text stands in a stored body."""
    return json.dumps(text)[1:-1]
