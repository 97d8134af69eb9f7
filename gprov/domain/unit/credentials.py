"""Secrets as values that are not printed accidentally."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typing_extensions import Doc, override


class Secret:
    """Text that only ``reveal`` returns; ``str`` and ``repr`` hide it. Compares by content."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    @override
    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    @override
    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class EarlierPassword:
    password: Secret


@dataclass(frozen=True, slots=True)
class Credentials:
    """Passwords of one unit: operating system (admin), BIOS setup, management controller."""

    os: Annotated[Secret, Doc("Password of the account admin")]
    bios: Annotated[Secret, Doc("Password of the BIOS setup")]
    ipmi: Annotated[Secret, Doc("Password of the management controller; at most 20 bytes, 16 unless configured")]
    earlier_bios: Annotated[
        tuple[EarlierPassword, ...],
        Doc("The BIOS setup may still have one of these, newest first: setting another one can need it"),
    ] = ()

    def secrets(self) -> tuple[Secret, ...]:
        """All of them, to be kept out of logs."""
        return (self.os, self.bios, self.ipmi, *(earlier.password for earlier in self.earlier_bios))
