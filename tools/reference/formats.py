"""The page of formats: each with its schema, and what a schema cannot say of it."""

from __future__ import annotations

import os
import textwrap

from tools.schemas.formats import Format
from tools.schemas.registry import FORMATS, TOML_FORMATS, WRITTEN

_WIDTH = 110
_HEAD = """# Formats and schemas

Made by `python -m tools.reference`; a test compares it and the schemas with the code.

Each format has a schema in JSON Schema, draft 2020-12. Editors take one for files of a name; Visual Studio Code, for
example, by its setting `json.schemas`, and for TOML by an extension. A validator of Debian is in the package
`python3-jsonschema`:

    jsonschema -i manufData.json docs/schemas/manufdata.schema.json

gprov itself reads without schemas, and tells all problems with their places: `gprov manuf check`, `appliance check`,
`server check`.
"""
_READ = """
## What gprov reads

A schema accepts what gprov accepts, and nothing else, except for the rules below. Tests compare both: each value of an
example is replaced by others and left out, and random ones are tried.

What no schema of these says:

- Keys, and words of a fixed set, count in any letter case. A schema has the spelling of the documentation.
- Keys that gprov does not know are ignored with a warning where the schema allows them, and refused where it does not.
  Keys that begin with `_` are comments.
- No key stands twice in an object. Text has no half surrogate pairs. Whole numbers have 63 bits; with a fraction of
  zero (`1.0`) they have 53.
- Texts that begin with `REPLACE-ME` are to be filled in.
"""
_CERTIFICATE = """
What `gprov … --json` prints is described in [cli.md](cli.md#json); the site that `make docs` makes
has a schema of it, `schemas/cli-output.schema.json`. The schema of erase certificates is in the package, for auditors:
[erase-certificate.schema.json](../../gprov/domain/erase/erase-certificate.schema.json). The API of the factory server
is described by itself, at `/openapi.json` ([server.md](server.md#the-api)).
"""


def formats_page() -> str:
    read = (*FORMATS, *TOML_FORMATS)
    return _wrapped(
        _HEAD + _READ + _table(read) + "".join(map(_rules, read)) + "\n## What gprov writes\n"
        "\nFor other programs; keys are only ever added.\n" + _table(WRITTEN) + _CERTIFICATE
    )


def _table(formats: tuple[Format, ...]) -> str:
    rows = "".join(_row(one) for one in formats)
    return f"\n| format | schema | written by | described in |\n|---|---|---|---|\n{rows}"


def _row(one: Format) -> str:
    page = os.path.relpath(one.page, "reference")
    link = f"[{os.path.basename(page)}]({page})"
    return f"| {one.what} | [{one.file}](../schemas/{one.file}) | {one.written} | {link} |\n"


def _rules(one: Format) -> str:
    if not one.beyond:
        return ""
    lines = "".join(f"- {rule.text}\n" for rule in one.beyond)
    return f"\n### Beyond {one.file}\n\n{lines}"


def _wrapped(text: str) -> str:
    """Paragraphs and items of the page, as documents are wrapped."""
    parts = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        plain = not any(line.startswith(("|", "#", "    ")) for line in lines)
        parts.append("\n".join(_items(lines)) if plain else block)
    return "\n\n".join(parts)


def _items(lines: list[str]) -> list[str]:
    joined: list[str] = []
    for line in lines:
        if joined and not line.startswith("- ") and joined[-1] and line:
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line)
    return [
        piece
        for line in joined
        for piece in (
            textwrap.wrap(
                line,
                _WIDTH,
                subsequent_indent="  " if line.startswith("- ") else "",
                break_long_words=False,
                break_on_hyphens=False,
            )
            or [""]
        )
    ]
