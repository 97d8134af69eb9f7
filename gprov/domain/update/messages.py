"""What a DDI server answers: what there is to do for a unit, and how.

Source: hawkBit's documentation of the Direct Device Integration API, version 1. Keys that are not known are ignored.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum

from gprov.domain.errors import BadInput
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.mfg.urls import url_problem

MAX_MESSAGE = 1 << 20  # bytes
DEFAULT_SLEEP = 300.0
SHORTEST_SLEEP, LONGEST_SLEEP = 5.0, 24 * 3600.0
_SLEEP = re.compile(r"([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])")
_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_HEX = {"sha256": 64, "sha1": 40, "md5": 32}
_MOST_ARTIFACTS = 64
# With the first of them that an artifact has.
_LINKS = ("download", "download-http")


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """``sleep``: seconds until the next poll, within bounds. URLs of what the server has for the unit, "" for none."""

    sleep: float = DEFAULT_SLEEP
    config_data: str = ""
    deployment: str = ""
    cancel: str = ""
    confirmation: str = ""

    @property
    def has_work(self) -> bool:
        """Whether an action of the unit has not ended for the server."""
        return bool(self.deployment or self.cancel or self.confirmation)


class Handling(StrEnum):
    """SKIP: not now. ATTEMPT: when the unit allows it. FORCED: the server's owner does not want to wait."""

    SKIP = "skip"
    ATTEMPT = "attempt"
    FORCED = "forced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """``name``: without folders; ``size`` in bytes; hashes in lower-case hexadecimal, "" for what the server does not
    state."""

    name: str
    size: int
    url: str
    sha256: str = ""
    sha1: str = ""
    md5: str = ""

    @property
    def hash(self) -> tuple[str, str]:
        """Name and value of the strongest hash; two empty texts without one."""
        for name in _HEX:
            if value := getattr(self, name):
                return name, value
        return "", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """``maintenance``: False if the server's maintenance window is closed."""

    action: str
    download: Handling
    update: Handling
    maintenance: bool = True
    artifacts: tuple[Artifact, ...] = ()

    @property
    def identity(self) -> str:
        """Hexadecimal digest of what would be installed. Handling, maintenance window and the order of the files may
        change meanwhile."""
        content = sorted((one.name, one.size, *one.hash) for one in self.artifacts)
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class UnreadableDeployment:
    """A deployment whose message does not parse, but for its id. ``problems``: what is wrong with it."""

    action: str
    problems: tuple[str, ...]

    @property
    def identity(self) -> str:
        """In place of a digest: what would be installed is not known."""
        return "unreadable"


def is_action_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def parse_poll(source: str, data: bytes) -> Poll:
    """Raises BadInput."""
    root = read_object(source, data)
    config = root.object("config")
    polling = config.object("polling") if config is not None else None
    sleep = _sleep(polling) if polling is not None else DEFAULT_SLEEP
    links = root.object("_links")
    poll = Poll(
        sleep=min(max(sleep, SHORTEST_SLEEP), LONGEST_SLEEP),
        config_data=_link(links, "configData"),
        deployment=_link(links, "deploymentBase"),
        cancel=_link(links, "cancelAction"),
        confirmation=_link(links, "confirmationBase"),
    )
    return finish(source, root, poll)


def parse_deployment(source: str, data: bytes) -> Deployment:
    """Raises BadInput with every problem."""
    return _deployment(source, data, "deployment")


def read_deployment(source: str, data: bytes) -> Deployment | UnreadableDeployment:
    """Raises BadInput if not even the id of the action can be read."""
    try:
        return parse_deployment(source, data)
    except BadInput as error:
        action = read_object(source, data).text_or_number("id")
        if not is_action_id(action):
            raise
        return UnreadableDeployment(action, (error.sentence, *error.details()))


def parse_confirmation(source: str, data: bytes) -> Deployment | str:
    """What awaits a confirmation; or the URL at which it is, "" if there is nothing. Raises BadInput."""
    root = read_object(source, data)
    if root.has("confirmation"):
        return _deployment(source, data, "confirmation")
    return finish(source, root, _link(root.object("_links"), "confirmationBase"))


def parse_cancel(source: str, data: bytes) -> tuple[str, str]:
    """Id of the cancellation, and of the action that it ends. Raises BadInput."""
    root = read_object(source, data)
    own = _id(root, "id")
    cancel = root.object("cancelAction", required=True)
    stopped = _id(cancel, "stopId") if cancel is not None else ""
    return finish(source, root, (own, stopped))


def _deployment(source: str, data: bytes, kind: str) -> Deployment:
    root = read_object(source, data)
    action, body = _id(root, "id"), root.object(kind, required=True)
    if body is None:
        raise BadInput(source, root.problems)
    words = {one.value: one for one in Handling}
    chunks = _bounded(body, "chunks", required=True)
    artifacts = [_artifact(one) for chunk in chunks for one in _bounded(chunk, "artifacts")]
    deployment = Deployment(
        action=action,
        download=body.one_of("download", words, Handling.SKIP, required=True),
        update=body.one_of("update", words, Handling.SKIP, required=True),
        maintenance=body.one_of("maintenanceWindow", {"available": True, "unavailable": False}, True),
        artifacts=tuple(artifacts),
    )
    return finish(source, root, deployment)


def _bounded(one: JsonObject, key: str, *, required: bool = False) -> tuple[JsonObject, ...]:
    """More entries than are looked at are a problem: a file would be ignored."""
    if (count := one.count(key)) > _MOST_ARTIFACTS:
        one.problem(key, f"has {count} entries, may have {_MOST_ARTIFACTS}")
    return one.objects(key, required=required, most=_MOST_ARTIFACTS)


def _artifact(one: JsonObject) -> Artifact:
    name = one.text("filename", required=True)
    if "/" in name or name in (".", "..") or not name.isprintable():
        one.problem("filename", f"must be a name without folders, is {name[:80]!r}")
    links = one.object("_links", required=True)
    link = next((key for key in _LINKS if links is not None and links.has(key)), _LINKS[0])
    url = _link(links, link)
    if not url:
        one.problem("_links", f"has none of {', '.join(_LINKS)}")
    hashes = one.object("hashes")
    digests = {key: _digest(hashes, key, digits) for key, digits in _HEX.items()} if hashes is not None else {}
    return Artifact(name=name, size=one.integer("size", required=True, minimum=1), url=url, **digests)


def _digest(hashes: JsonObject, key: str, digits: int) -> str:
    text = hashes.text(key).lower()
    if text and not (len(text) == digits and all(character in "0123456789abcdef" for character in text)):
        hashes.problem(key, f"must be {digits} hexadecimal digits, is {text[:80]!r}")
        return ""
    return text


def _link(links: JsonObject | None, key: str) -> str:
    one = links.object(key) if links is not None else None
    if one is None:
        return ""
    url = one.text("href", required=True)
    problem = url_problem(url) if url else None
    if problem:
        one.problem("href", problem)
        return ""
    return url


def _id(one: JsonObject, key: str) -> str:
    """As text: servers send numbers, too."""
    text = one.text_or_number(key, required=True)
    if text and not is_action_id(text):
        one.problem(key, f"must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -, is {text[:80]!r}")
    return text


def _sleep(polling: JsonObject) -> float:
    text = polling.text("sleep")
    if not text:
        return DEFAULT_SLEEP
    match = _SLEEP.fullmatch(text)
    if match is None:
        polling.problem("sleep", f"must be HH:MM:SS, is {text[:40]!r}")
        return DEFAULT_SLEEP
    hours, minutes, seconds = (int(group) for group in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
