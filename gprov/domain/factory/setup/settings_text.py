"""server.toml of a new data folder."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gprov.domain.factory.settings.access import AccessMode
from gprov.domain.factory.settings.tls import BootPort, TlsMode
from gprov.domain.factory.setup.plan import FactoryPlan

Value = str | int | float | bool | tuple[str, ...]


def settings_text(plan: FactoryPlan) -> bytes:
    mode = AccessMode.ISOLATED if plan.isolated else AccessMode.ACCOUNTS
    tables: dict[str, Mapping[str, Value]] = {
        "listen": {"host": plan.host, "port": plan.port, "public_url": plan.server},
        "access": {"mode": mode.value},
    }
    if plan.encrypted:
        tables["tls"] = {"mode": TlsMode.OWN_CA.value, "boot": BootPort.HTTP.value}
    return toml_text(tables)


def toml_text(tables: Mapping[str, Mapping[str, Value]]) -> bytes:
    lines = [
        "# Settings of the factory server. What is not stated is the default.",
        "# All keys: docs/reference/server-settings.md",
    ]
    for name, values in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return ("\n".join(lines) + "\n").encode()


def _toml(value: Value) -> str:
    """Strings of JSON are basic strings of TOML, but for the character DEL."""
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")
