"""What a unit posts: values, their JSON, and the parsers that the server reads it with.

Each message names the unit's serial and the session, which is one run of one client. The session makes retries
harmless (an event is known by session and number) and is the only thing that tells a unit from whoever else knows
its serial, so it is never given out again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gprov.domain.events import Event, ProcessState
from gprov.domain.factory import syntax
from gprov.domain.factory.events import STATES, decode_event, encode_event
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.value import Json

WIRE_VERSION = 1
API = f"/api/v{WIRE_VERSION}"


@dataclass(frozen=True, slots=True)
class Sender:
    """Which unit, in which session (not shown: whoever has it can ask for the unit's passwords)."""

    serial: str
    session: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EventBatch:
    sender: Sender
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class StateReport:
    sender: Sender
    state: ProcessState


@dataclass(frozen=True, slots=True)
class CodeNameReport:
    sender: Sender
    code_name: str


@dataclass(frozen=True, slots=True)
class NamedMac:
    name: str
    mac: str


@dataclass(frozen=True, slots=True)
class MacReport:
    sender: Sender
    nics: tuple[NamedMac, ...]
    bmc: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    sender: Sender
    name: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    sender: Sender


def to_bytes(message: Mapping[str, Json]) -> bytes:
    """A message as it goes over the wire."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def encode_events(sender: Sender, events: Sequence[Event]) -> dict[str, Json]:
    return {**_encode_sender(sender), "events": [encode_event(event) for event in events]}


def encode_state(sender: Sender, state: ProcessState) -> dict[str, Json]:
    return {**_encode_sender(sender), "state": state.value}


def encode_code_name(sender: Sender, code_name: str) -> dict[str, Json]:
    return {**_encode_sender(sender), "code_name": code_name}


def encode_macs(sender: Sender, nics: Mapping[str, str], bmc: Sequence[str]) -> dict[str, Json]:
    named = [{"name": name, "mac": mac} for name, mac in nics.items()]
    return {**_encode_sender(sender), "nics": named, "bmc": list(bmc)}


def encode_document(sender: Sender, name: str, content: str) -> dict[str, Json]:
    return {**_encode_sender(sender), "name": name, "content": content}


def encode_credential_request(sender: Sender) -> dict[str, Json]:
    return _encode_sender(sender)


def decode_events(data: bytes) -> EventBatch:
    """Raises BadInput with every problem, as all decoders here."""
    root = read_object("events", data)
    sender = _sender(root)
    objects = root.objects("events", required=True)
    if len(objects) > syntax.MAX_EVENTS:
        root.problem("events", f"must be at most {syntax.MAX_EVENTS}, are {len(objects)}")
        objects = ()
    decoded = [decode_event(obj) for obj in objects]
    events = tuple(event for event in decoded if event is not None)
    return finish("events", root, EventBatch(sender, events))


def decode_state(data: bytes) -> StateReport:
    root = read_object("state", data)
    state = root.one_of("state", STATES, ProcessState.UNKNOWN, required=True)
    return finish("state", root, StateReport(_sender(root), state))


def decode_code_name(data: bytes) -> CodeNameReport:
    root = read_object("code name", data)
    return finish("code name", root, CodeNameReport(_sender(root), syntax.name(root, "code_name")))


def decode_macs(data: bytes) -> MacReport:
    root = read_object("MACs", data)
    sender = _sender(root)
    objects = root.objects("nics")
    if not _count_is_good(root, "nics", len(objects)):
        objects = ()
    nics = tuple(NamedMac(syntax.name(obj, "name"), _mac(obj, "mac", obj.text("mac"))) for obj in objects)
    seen: set[str] = set()
    for obj, nic in zip(objects, nics, strict=True):
        if nic.name and nic.name in seen:
            obj.problem("name", f"{nic.name!r} stands twice")
        seen.add(nic.name)
    bmc = tuple(_mac(root, f"bmc[{index}]", text) for index, text in enumerate(root.texts("bmc")))
    _count_is_good(root, "bmc", len(bmc))
    return finish("MACs", root, MacReport(sender, nics, bmc))


def decode_document(data: bytes) -> Document:
    root = read_object("document", data)
    name = syntax.name(root, "name")
    content = syntax.free_text(root, "content", syntax.MAX_DOCUMENT)
    return finish("document", root, Document(_sender(root), name, content))


def decode_credential_request(data: bytes) -> CredentialRequest:
    root = read_object("credential request", data)
    return finish("credential request", root, CredentialRequest(_sender(root)))


def _encode_sender(sender: Sender) -> dict[str, Json]:
    return {"serial": sender.serial, "session": sender.session}


def _sender(root: JsonObject) -> Sender:
    return Sender(syntax.serial(root), syntax.session(root))


def _count_is_good(root: JsonObject, key: str, count: int) -> bool:
    if count > syntax.MAX_NICS:
        root.problem(key, f"must be at most {syntax.MAX_NICS}, are {count}")
    return count <= syntax.MAX_NICS


def _mac(obj: JsonObject, key: str, text: str) -> str:
    found = syntax.mac(text)
    if found is None:
        obj.problem(key, f"{text[:40]!r} is no MAC address")
        return ""
    return found
