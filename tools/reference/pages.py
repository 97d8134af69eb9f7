"""Pages of the reference that are made from the code.

Small ones are committed, and a test compares them with the code. Large ones are made when the site is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.reference.arguments import arguments_page
from tools.reference.commands import commands_page
from tools.reference.formats import formats_page
from tools.reference.ports import ports_page
from tools.schemas.outputs import output_schema
from tools.schemas.registry import schema_text

ROOT = Path(__file__).parents[2]
# Path below docs.
COMMITTED_PAGES: Mapping[str, Callable[[], str]] = {
    "reference/kernel-arguments.md": arguments_page,
    "reference/json-formats.md": formats_page,
}
BUILT_PAGES: Mapping[str, Callable[[], str]] = {
    "reference/commands.md": commands_page,
    "reference/ports.md": ports_page,
}
BUILT_FILES: Mapping[str, Callable[[], bytes]] = {
    "schemas/cli-output.schema.json": lambda: schema_text(output_schema()),
}
