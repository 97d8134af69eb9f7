"""Identify Controller data structure (NVM Express Base Specification 2.0, CNS 01h; Linux ``struct nvme_id_ctrl``)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.printable import printable_text

IDENTIFY_SIZE = 4096

_NAMES = struct.Struct("<20s40s8s")  # SN, MN, FR
_NAMES_AT = 4
_CMIC_AT = 76
_OACS_AT = 256
_UNVMCAP_AT = 296
_UNVMCAP_SIZE = 16
_RPMBS_AT = 312
_SANICAP_AT = 328
_NN_AT = 516
_FNA_AT = 524

FORMAT_SUPPORTED = 1 << 1  # OACS
NAMESPACE_MANAGEMENT = 1 << 3  # OACS
FORMAT_ALL_NAMESPACES = 1 << 0  # FNA
ERASE_ALL_NAMESPACES = 1 << 1  # FNA
FORMAT_CRYPTO = 1 << 2  # FNA
SANITIZE_CRYPTO = 1 << 0  # SANICAP
SANITIZE_BLOCK = 1 << 1  # SANICAP
SANITIZE_OVERWRITE = 1 << 2  # SANICAP
SEVERAL_CONTROLLERS = 1 << 1  # CMIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """``oacs``: optional admin commands. ``fna``: attributes of Format NVM. ``sanicap``: sanitize capabilities.
    ``cmic``: multi-path capabilities. ``rpmbs``: replay protected memory block. ``namespaces``: NN, the largest
    namespace number. ``unallocated``: UNVMCAP, bytes of the drive that belong to no namespace (0 if not stated)."""

    serial: str
    model: str
    firmware: str
    oacs: int = 0
    fna: int = 0
    sanicap: int = 0
    cmic: int = 0
    rpmbs: int = 0
    namespaces: int = 1
    unallocated: int = 0

    @property
    def has_format(self) -> bool:
        return bool(self.oacs & FORMAT_SUPPORTED)

    @property
    def has_namespace_management(self) -> bool:
        return bool(self.oacs & NAMESPACE_MANAGEMENT)

    @property
    def has_crypto_format(self) -> bool:
        return bool(self.fna & FORMAT_CRYPTO)

    @property
    def format_erases_all_namespaces(self) -> bool:
        """A format of one namespace formats or erases every namespace of the drive."""
        return bool(self.fna & (FORMAT_ALL_NAMESPACES | ERASE_ALL_NAMESPACES))

    @property
    def shares_drive(self) -> bool:
        """The drive may have further controllers with namespaces of their own."""
        return bool(self.cmic & SEVERAL_CONTROLLERS)

    @property
    def has_protected_memory(self) -> bool:
        return bool(self.rpmbs & 7)


def parse_controller(raw: bytes) -> Controller:
    """``raw``: 4096 bytes. Raises BadInput."""
    if len(raw) != IDENTIFY_SIZE:
        raise BadInput("NVMe Identify Controller", [Problem("", f"has {len(raw)} bytes, not {IDENTIFY_SIZE}")])
    serial, model, firmware = (_text(part) for part in _NAMES.unpack_from(raw, _NAMES_AT))
    if not any(letter.isascii() and letter.isalnum() for letter in model):
        raise BadInput("NVMe Identify Controller", [Problem("MN", f"{model!r} is not the name of a model")])
    return Controller(
        serial=serial,
        model=model,
        firmware=firmware,
        oacs=_number(raw, _OACS_AT, 2),
        fna=raw[_FNA_AT],
        sanicap=_number(raw, _SANICAP_AT, 4),
        cmic=raw[_CMIC_AT],
        rpmbs=_number(raw, _RPMBS_AT, 4),
        namespaces=_number(raw, _NN_AT, 4),
        unallocated=_number(raw, _UNVMCAP_AT, _UNVMCAP_SIZE),
    )


def serialise_controller(controller: Controller) -> bytes:
    """Names must be ASCII and fit their fields; numbers must fit."""
    raw = bytearray(IDENTIFY_SIZE)
    names = ((controller.serial, 20), (controller.model, 40), (controller.firmware, 8))
    _NAMES.pack_into(raw, _NAMES_AT, *(text.encode("ascii").ljust(size) for text, size in names))
    raw[_CMIC_AT] = controller.cmic
    raw[_FNA_AT] = controller.fna
    for at, size, value in (
        (_OACS_AT, 2, controller.oacs),
        (_UNVMCAP_AT, _UNVMCAP_SIZE, controller.unallocated),
        (_RPMBS_AT, 4, controller.rpmbs),
        (_SANICAP_AT, 4, controller.sanicap),
        (_NN_AT, 4, controller.namespaces),
    ):
        raw[at : at + size] = value.to_bytes(size, "little")
    return bytes(raw)


def _text(raw: bytes) -> str:
    return printable_text(raw.decode("ascii", "replace").strip(" \0").replace("\t", "\\t"))


def _number(raw: bytes, at: int, size: int) -> int:
    return int.from_bytes(raw[at : at + size], "little")
