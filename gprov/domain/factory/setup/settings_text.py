"""server.toml of a new data folder."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gprov.domain.factory.setup.plan import FactoryPlan

Value = str | int | float | bool | tuple[str, ...]


def settings_text(plan: FactoryPlan, more: Mapping[str, Mapping[str, Value]] | None = None) -> bytes:
    """``more``: tables with the keys that are stated besides those of [listen]."""
    tables: dict[str, Mapping[str, Value]] = {
        "listen": {"host": plan.host, "port": plan.port, "public_url": plan.server},
        **(more or {}),
    }
    lines = [
        "# Settings of the factory server. docs/server-settings.md lists all keys; what is not stated is the default."
    ]
    for name, values in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return ("\n".join(lines) + "\n").encode()


def _toml(value: Value) -> str:
    """Strings of JSON are basic strings of TOML, but for the character DEL."""
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")
