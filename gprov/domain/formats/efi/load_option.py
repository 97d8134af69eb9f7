"""EFI_LOAD_OPTION (UEFI specification 2.10, 3.1.3): the content of the Boot#### variables.

Layout: attributes u32, length of the file path list u16, description (UTF-16LE, NUL-terminated), file path list,
optional data (all the rest), which the firmware hands to the loaded program.

For a Linux kernel with EFI stub the optional data are its arguments in UTF-16LE. The stub (efi_convert_cmdline in
drivers/firmware/efi/libstub/efi-stub-helper.c) reads as many characters as the firmware says there are and stops
earlier at a NUL or a line feed. A NUL is thus not needed; we write one because other readers (firmware menus, shells)
take the options for a C string, and we read arguments with and without it. No arguments means no optional data at
all, not an empty string.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.efi.device_nodes import DevicePath
from gprov.domain.formats.efi.device_path import parse_device_path, serialise_device_path
from gprov.domain.formats.efi.device_text import describe_device_path

_HEAD = struct.Struct("<IH")
_NUL = b"\0\0"

# COMMAND_LINE_SIZE of x86 Linux in bytes, NUL included; the stub cuts off what is longer
MAX_ARGUMENTS = 2047


class LoadOptionAttributes(IntFlag):
    ACTIVE = 0x1
    FORCE_RECONNECT = 0x2
    HIDDEN = 0x8


@dataclass(frozen=True, slots=True)
class LoadOption:
    """``attributes``: as stored, bits as in LoadOptionAttributes; ``data``: the optional data, as stored."""

    description: str
    path: DevicePath
    data: bytes = b""
    attributes: int = LoadOptionAttributes.ACTIVE

    @property
    def active(self) -> bool:
        return bool(self.attributes & LoadOptionAttributes.ACTIVE)

    def describe(self) -> str:
        """One line for logs. Data that are no text are counted, not shown."""
        try:
            tail = f" {decode_arguments(self.data)!r}" if self.data else ""
        except BadInput:
            tail = f" and {len(self.data)} bytes of data"
        return f"{self.description!r}: {describe_device_path(self.path)}{tail}"


def describe_load_option(data: bytes) -> str:
    """One line for logs, whatever the bytes are."""
    try:
        return parse_load_option(data).describe()
    except BadInput as exc:
        return f"{len(data)} bytes that are no load option ({exc})"


def read_description(data: bytes) -> str | None:
    """The description alone, which can be whole where the rest is not. None if there is none."""
    end = _text_end(data, _HEAD.size)
    try:
        return None if end is None else data[_HEAD.size : end].decode("utf-16-le")
    except UnicodeDecodeError:
        return None


def parse_load_option(data: bytes) -> LoadOption:
    """Raises BadInput for anything that is cut off, badly nested or no UTF-16."""
    if len(data) < _HEAD.size:
        raise _bad(0, f"{_HEAD.size} bytes expected, {len(data)} found")
    attributes, path_size = _HEAD.unpack_from(data)
    end = _text_end(data, _HEAD.size)
    if end is None:
        raise _bad(_HEAD.size, "description does not end")
    try:
        description = data[_HEAD.size : end].decode("utf-16-le")
    except UnicodeDecodeError as exc:
        raise _bad(_HEAD.size + exc.start, "description is no UTF-16") from exc
    start = end + len(_NUL)
    if path_size > len(data) - start:
        raise _bad(4, f"file path list of {path_size} bytes, only {len(data) - start} are left")
    path = parse_device_path(data[start : start + path_size])
    return LoadOption(description, path, data[start + path_size :], attributes)


def serialise_load_option(option: LoadOption) -> bytes:
    """Raises BadInput if a value does not fit its field."""
    path = serialise_device_path(option.path)
    if "\0" in option.description:
        raise BadInput("load option", [Problem("description", "contains a NUL")])
    try:
        head = _HEAD.pack(option.attributes, len(path))
        return head + option.description.encode("utf-16-le") + _NUL + path + option.data
    except (struct.error, UnicodeEncodeError) as exc:
        raise BadInput("load option", [Problem(option.description, f"does not fit: {exc}")]) from exc


def encode_arguments(arguments: str) -> bytes:
    """Kernel arguments as optional data. Raises BadInput for what the stub would cut off or misread."""
    if not arguments:
        return b""
    problems: list[Problem] = []
    if any(character in arguments for character in "\0\n"):
        problems.append(Problem("", "contains a NUL or a line feed, at which the kernel stops reading"))
    size = len(arguments.encode("utf-8", "replace"))
    if size > MAX_ARGUMENTS:
        problems.append(Problem("", f"{size} bytes long, the kernel reads {MAX_ARGUMENTS}"))
    if any("\ud800" <= character <= "\udfff" for character in arguments):
        problems.append(Problem("", "contains half of a surrogate pair"))
    if problems:
        raise BadInput("kernel arguments", problems)
    return arguments.encode("utf-16-le") + _NUL


def decode_arguments(data: bytes) -> str:
    """What the kernel would read from optional data. Raises BadInput if it is no UTF-16."""
    end = _text_end(data, 0)
    text = data if end is None else data[:end]
    try:
        return text.decode("utf-16-le").split("\n", 1)[0]
    except UnicodeDecodeError as exc:
        raise BadInput("kernel arguments", [Problem(f"byte {exc.start}", "is no UTF-16")]) from exc


def _text_end(data: bytes, start: int) -> int | None:
    """Offset of the NUL character that ends the text at ``start``."""
    for offset in range(start, len(data) - 1, 2):
        if data[offset : offset + 2] == _NUL:
            return offset
    return None


def _bad(offset: int, message: str) -> BadInput:
    return BadInput("load option", [Problem(f"byte {offset}", message)])
