"""Documents as TOML."""

from __future__ import annotations

from collections.abc import Mapping


def toml_text(document: Mapping[str, object]) -> str:
    return "".join(f"{_text(key)} = {_value(value)}\n" for key, value in document.items())


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return "{" + ", ".join(f"{_text(key)} = {_value(each)}" for key, each in value.items()) + "}"
        case _:
            return repr(value)


def _text(text: str) -> str:
    return '"' + "".join(f"\\U{ord(each):08x}" for each in text) + '"'
