"""Messages of the DDI API against ``ddi.schema.json``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

_SCHEMA = json.loads(Path(__file__).with_name("ddi.schema.json").read_text())
MESSAGES = tuple(_SCHEMA["$defs"])


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/$defs/{name}", "$defs": _SCHEMA["$defs"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def problems(name: str, value: Any) -> list[str]:
    """``name``: of a definition in the schema."""
    return [f"{name}{error.json_path[1:]}: {error.message}" for error in _validator(name).iter_errors(value)]
