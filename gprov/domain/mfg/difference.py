"""Differences between the hardware of a machine and its specification, as values, text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from typing_extensions import override

from gprov.domain.errors import Problem
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.value import Json


class Difference(Problem):
    """One property that is not as specified. ``place``: its path in the entry of ``ValidationData``; ``required``: what
    the entry says; ``detected``: what the machine has, in full."""

    __slots__ = ("detected", "required")

    def __init__(self, place: str, required: str, detected: str) -> None:
        super().__init__(place, f"required {required}, detected {detected}")
        self.required = required
        self.detected = detected

    @override
    def __repr__(self) -> str:
        return f"Difference({self.place!r}, {self.required!r}, {self.detected!r})"


def difference_text(difference: Difference) -> str:
    """Three lines, for consoles and displays: place, required, detected."""
    return f"{difference.place}\n  required: {difference.required}\n  detected: {difference.detected}"


def differences_json(code_name: str, differences: Iterable[Difference]) -> str:
    """The document that a unit delivers: ``DevCodeName``, and ``Differences`` with ``Place``, ``Required`` and
    ``Detected``."""
    rows: list[Json] = [
        {"Place": _text(one.place), "Required": _text(one.required), "Detected": _text(one.detected)}
        for one in differences
    ]
    return json.dumps({"DevCodeName": code_name, "Differences": rows}, indent=2) + "\n"


def read_differences(source: str, content: str) -> tuple[Difference, ...]:
    """Read what ``differences_json`` wrote. Raises BadInput."""
    root = read_object(source, content.encode(errors="replace"))
    entries = root.objects("Differences", required=True)
    found = tuple(Difference(entry.text("Place"), entry.text("Required"), entry.text("Detected")) for entry in entries)
    return finish(source, root, found)


def _text(text: str) -> str:
    """Without halves of surrogate pairs, which no text of JSON may have: names of devices can hold anything."""
    return text.encode(errors="replace").decode()
