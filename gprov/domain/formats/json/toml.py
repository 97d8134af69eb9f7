"""Reading TOML with the same readers as JSON: a table is an object."""

from __future__ import annotations

import tomllib

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.object import JsonObject


def read_table(source: str, data: bytes) -> JsonObject:
    """The root table of a TOML file. Raises BadInput if it is not TOML."""
    try:
        return JsonObject(tomllib.loads(data.decode()), "$", [])
    except UnicodeDecodeError as exc:
        raise BadInput(source, [Problem(f"byte {exc.start}", "is not UTF-8")]) from exc
    except (ValueError, RecursionError) as exc:  # ValueError: also of numbers with more digits than Python converts
        raise BadInput(source, [Problem("", f"is not TOML: {exc}")]) from exc
