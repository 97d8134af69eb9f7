"""What the server answers: time, credentials, and why not.

A reply that holds passwords is parsed by code of its own: its errors say that it was wrong, never what it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import Enum

from gprov.domain.errors import BadInput, GprovError, NetworkFault, Problem
from gprov.domain.factory.syntax import MAX_NUMBER, clean
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.value import Json
from gprov.domain.unit.credentials import Credentials, Secret

_MAX_PROBLEMS = 100
_MAX_LINE = 300
_MAX_PASSWORD = 128


class Refusal(Enum):
    """Why the server does not hand out a unit's passwords; the values go over the wire."""

    NOT_STARTED = "not-started"
    OTHER_SESSION = "other-session"
    WINDOW_OVER = "window-over"
    SEALED = "sealed"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Refusal.NOT_STARTED: "passwords are handed out only while the unit is in state MFG_STARTED",
    Refusal.OTHER_SESSION: "the provisioning of this unit was started by another session",
    Refusal.WINDOW_OVER: "the provisioning of this unit was started too long ago",
    Refusal.SEALED: "this unit was provisioned before; its passwords must be reopened on the server's host",
}


class FactoryRefused(NetworkFault):
    """The server was reached and said no (a 4xx status): trying again with the same message is of no use."""

    def __init__(self, peer: str, status: int, reason: str) -> None:
        super().__init__(peer, f"status {status}: {reason}" if reason else f"status {status}")
        self.status = status


def decode_time(data: bytes) -> int:
    """UTC, nanoseconds since 1970. Raises BadInput."""
    root = read_object("time", data)
    return finish("time", root, root.integer("time_ns", required=True, least=0, most=MAX_NUMBER))


def encode_credentials(credentials: Credentials) -> dict[str, Json]:
    """The one place where passwords become text."""
    return {
        "os": credentials.os.reveal(),
        "bios": credentials.bios.reveal(),
        "ipmi": credentials.ipmi.reveal(),
    }


def decode_credentials(data: bytes) -> Credentials | None:
    """None if it is anything but three non-empty passwords that a person can type and a program can be given."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    texts = [value.get(key) for key in ("os", "bios", "ipmi")]
    secrets = [Secret(text) for text in texts if isinstance(text, str) and _is_password(text)]
    return Credentials(*secrets) if len(secrets) == len(texts) else None


def _is_password(text: str) -> bool:
    """Half a surrogate pair, which JSON can hold, could not even be hashed."""
    return 0 < len(text) <= _MAX_PASSWORD and text.isprintable()


def encode_error(
    error: GprovError | str, problems: Iterable[Problem] = (), refusal: Refusal | None = None
) -> dict[str, Json]:
    """The body of every reply that is not a success. Bounded, whatever was wrong."""
    found = tuple(error.problems if isinstance(error, BadInput) else problems)
    reply: dict[str, Json] = {
        "error": clean(str(error), _MAX_LINE),
        "problems": [
            {"place": clean(problem.place, _MAX_LINE), "message": clean(problem.message, _MAX_LINE)}
            for problem in found[:_MAX_PROBLEMS]
        ],
    }
    return reply if refusal is None else {**reply, "refusal": refusal.value}


def decode_error(data: bytes) -> str:
    """The reason out of an error reply in one line; empty if it has none (another program may have answered)."""
    try:
        root = read_object("error", data)
    except BadInput:
        return ""
    lines = [root.text("error")]
    lines += [f"{obj.text('place')}: {obj.text('message')}" for obj in root.objects("problems")[1:]]
    return clean("; ".join(lines), _MAX_LINE).replace("\n", " ").strip()


def decode_refusal(data: bytes) -> Refusal | None:
    """Why credentials were refused; None if the reply names no reason that is known here."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    word = value.get("refusal") if isinstance(value, dict) else None
    return next((refusal for refusal in Refusal if refusal.value == word), None)
