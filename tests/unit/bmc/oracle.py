"""python-ipmi as an independent reading of the specification: its bytes of a request, its fields of a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyipmi.msgs import create_request_by_name, create_response_by_name, decode_message, encode_message

from gprov.domain.formats.ipmi.message import Request


def request(name: str, fields: Mapping[str, Any] | None = None) -> Request:
    """``fields``: values by name; ``channel.number`` is a bit field inside a field."""
    message = create_request_by_name(name)
    _fill(message, fields or {})
    return Request(message.netfn, message.cmdid, bytes(encode_message(message)))


def response(name: str, fields: Mapping[str, Any]) -> bytes:
    """The data after the completion code."""
    message = create_response_by_name(name)
    _fill(message, {"completion_code": 0, **fields})
    return bytes(encode_message(message))[1:]


def decoded(name: str, data: bytes) -> Any:
    """The message that these bytes after the completion code are. Raises pyipmi.errors.DecodingError."""
    message = create_response_by_name(name)
    decode_message(message, b"\0" + data)
    return message


def _fill(message: Any, fields: Mapping[str, Any]) -> None:
    for path, value in fields.items():
        *parents, last = path.split(".")
        target = message
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, last, value)
