"""The JSON schema of erase certificates, made from the dataclasses that read and write them.

It is shipped as ``erase-certificate.schema.json`` in this folder, for auditors. ``parse_certificate`` demands more: the
one form in which a document is written, and claims that the entries support.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gprov.domain.erase.certificate import ErasureCertificate
from gprov.domain.factory.messages import schema
from gprov.domain.formats.json.value import Json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA_FILE = "erase-certificate.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_bytes() -> bytes:
    """Content of the shipped file."""
    described = {"$schema": _DIALECT, **strict_schema(ErasureCertificate)}
    return (json.dumps(described, indent=2) + "\n").encode()


def strict_schema(message: type[DataclassInstance]) -> dict[str, Json]:
    """The schema of a message, without room for further members in any object."""
    return {name: _closed(value) for name, value in schema(message).items()} | {"additionalProperties": False}


def _closed(value: Json) -> Json:
    if isinstance(value, dict):
        inner = {name: _closed(one) for name, one in value.items()}
        return {**inner, "additionalProperties": False} if value.get("type") == "object" else inner
    return [_closed(one) for one in value] if isinstance(value, list) else value
