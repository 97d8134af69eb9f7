"""Programs of UEFI (PE/COFF): where their signatures are, and the digest that these sign.

Sources: Microsoft, "PE Format" (headers, attribute certificate table) and "Windows Authenticode Portable Executable
Signature Format" (calculation of the digest). Firmware calculates it the same way: EDK II, DxeImageVerificationLib.
A kernel with an EFI stub is such a program; a signature is appended to it, so that everything before stays in place.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

_PE_POINTER = 0x3C
_COFF = struct.Struct("<4sHHIIIHH")  # signature, machine, sections, time, symbols, their number, optional header, flags
_MAGICS = {0x10B: 96, 0x20B: 112}  # PE32, PE32+: offset of the data directories in the optional header
_HEADERS_SIZE, _CHECKSUM = 60, 64  # in the optional header
_CERTIFICATES = 4  # number of the data directory of signatures
_SECTION = struct.Struct("<8sIIIIIIHHI")
_CERTIFICATE = struct.Struct("<IHH")  # length with this header, revision, type
_ALIGNMENT = 8
_PKCS7 = 0x0002  # WIN_CERT_TYPE_PKCS_SIGNED_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class PeImage:
    """Offsets in bytes. ``checksum``: 4 bytes that are not signed. ``directory``: 8 bytes, the place of the signatures,
    which are not signed either. ``signatures``: where these begin; the end of the file without any. ``size``: of the
    file."""

    checksum: int
    directory: int
    signatures: int
    size: int

    @property
    def signed(self) -> bool:
        return self.signatures < self.size


def parse_pe(content: bytes) -> PeImage:
    """Raises BadInput for what is no program of UEFI, is cut short, or has bytes that a signature does not cover."""
    size = len(content)
    try:
        return _parse(content, size)
    except struct.error as exc:
        raise _bad("headers", f"do not end within {size} bytes") from exc


def _parse(content: bytes, size: int) -> PeImage:
    (pe,) = struct.unpack_from("<I", content, _PE_POINTER)
    signature, _, sections, _, _, _, optional_size, _ = _COFF.unpack_from(content, pe)
    if content[:2] != b"MZ" or signature != b"PE\0\0":
        raise _bad("", "is no program of UEFI: it has no PE header")
    optional = pe + _COFF.size
    (magic,) = struct.unpack_from("<H", content, optional)
    if magic not in _MAGICS:
        raise _bad(f"offset {optional:#x}", f"unknown kind of PE header {magic:#x}")
    directories = optional + _MAGICS[magic]
    (count,) = struct.unpack_from("<I", content, directories - 4)
    if count <= _CERTIFICATES:
        raise _bad(f"offset {directories - 4:#x}", "it has no place for signatures")
    directory = directories + 8 * _CERTIFICATES
    if directory + 8 > optional + optional_size:
        raise _bad(f"offset {directory:#x}", "the place of the signatures is outside of the header")
    start, length = struct.unpack_from("<II", content, directory)
    if start == length == 0:
        start = size
    elif start % _ALIGNMENT or start + length != size or not length:
        raise _bad(f"offset {directory:#x}", f"signatures of {length} bytes at {start} do not end the file ({size})")
    (headers,) = struct.unpack_from("<I", content, optional + _HEADERS_SIZE)
    table = optional + optional_size
    if table + sections * _SECTION.size > headers:
        raise _bad(f"offset {table:#x}", "the table of sections is outside of the headers")
    _check_sections(content, table, sections, headers, start)
    return PeImage(checksum=optional + _CHECKSUM, directory=directory, signatures=start, size=size)


def _check_sections(content: bytes, table: int, count: int, headers: int, end: int) -> None:
    """Each section begins where the one before ends: then the digest covers the file in one piece, whatever the order
    in which firmware reads the sections."""
    found = [_SECTION.unpack_from(content, table + number * _SECTION.size) for number in range(count)]
    place = headers
    for start, length in sorted((section[4], section[3]) for section in found if section[3]):
        if start != place:
            raise _bad(f"offset {start:#x}", f"a section begins here, the one before ends at {place:#x}")
        place = start + length
    if place > end:
        raise _bad("", f"is cut short: its sections end at {place}, the file has {end} bytes")


def authenticode_digest(image: PeImage, content: bytes) -> bytes:
    """Return the SHA-256 that signatures are over, 32 bytes. An unsigned file is padded with zeros to a multiple of 8
    bytes, as by the tools that sign it."""
    view = memoryview(content)
    digest = hashlib.sha256(view[: image.checksum])
    digest.update(view[image.checksum + 4 : image.directory])
    digest.update(view[image.directory + 8 : image.signatures])
    digest.update(bytes(-image.signatures % _ALIGNMENT))
    return digest.digest()


def signatures(image: PeImage, content: bytes) -> tuple[bytes, ...]:
    """Return the signatures, PKCS #7 in DER each. Those of other kinds, which UEFI does not know, are left out. Raises
    BadInput for a damaged table."""
    found, place = [], image.signatures
    while place < image.size:
        if place + _CERTIFICATE.size > image.size:
            raise _bad(f"offset {place:#x}", "the table of signatures is cut short")
        length, _, kind = _CERTIFICATE.unpack_from(content, place)
        if length <= _CERTIFICATE.size or place + length > image.size:
            raise _bad(f"offset {place:#x}", f"a signature of {length} bytes does not fit into the file")
        if kind == _PKCS7:
            found.append(content[place + _CERTIFICATE.size : place + length])
        place += length + -length % _ALIGNMENT
    return tuple(found)


def _bad(location: str, text: str) -> BadInput:
    return BadInput("PE", [Problem(location, text)])
