"""Facts in the header of an x86 Linux kernel (bzImage).

Source: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"; the version string is made by
init/version-timestamp.c and arch/x86/boot/version.c: ``RELEASE (BUILDER) #BUILD CONFIG… DATE``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem

KERNEL_START = 64 << 10  # bytes of a file that ``parse_bzimage`` needs: all of the real-mode part

_SETUP_SECTS = 0x1F1
_SYSSIZE = 0x1F4  # of what follows the set-up code, in units of 16 bytes
_BOOT_FLAG = 0x1FE
_MAGIC = 0x202
_VERSION_POINTER = 0x20E  # offset of the version string less 0x200; 0: there is none
_HEADER_END = 0x210
_MAX_VERSION = 512
_TEXT = re.compile(r"(?P<release>[^\s()#]+)(?:\s+\((?P<builder>.*?)\))?(?:\s+(?P<version>#.*))?", re.DOTALL)
_BUILD = re.compile(r"#([0-9]{1,18})(?![0-9])")


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """``release`` as of uname -r, ``version`` as of uname -v, ``builder`` user@host; "" for what is not told.

    ``build_number`` is the ``#N`` that starts the version; None if it does not start so.
    """

    release: str
    builder: str
    version: str
    build_number: int | None


class Comparison(Enum):
    """Which of two kernels is newer."""

    FIRST = "first"
    SECOND = "second"
    SAME = "same"


def parse_bzimage(head: bytes) -> KernelFacts:
    """``head``: the first KERNEL_START bytes of the file. Raises BadInput if it is no kernel."""
    if len(head) < _HEADER_END:
        raise _bad("", f"is {len(head)} bytes long, shorter than a kernel's header")
    problems = []
    if head[_BOOT_FLAG : _BOOT_FLAG + 2] != b"\x55\xaa":
        problems.append(Problem(f"offset {_BOOT_FLAG:#x}", "boot signature 0xAA55 is missing"))
    if head[_MAGIC : _MAGIC + 4] != b"HdrS":
        problems.append(Problem(f"offset {_MAGIC:#x}", "header signature HdrS is missing"))
    if problems:
        raise BadInput("kernel", problems)
    return _parse_text(_version_text(head))


def check_length(head: bytes, size: int) -> None:
    """``size``: bytes of the file that are there. Raises BadInput if the header announces more: a FAT that lost power
    may give back the blocks of a file that it was replacing, and leave the front."""
    paragraphs = int.from_bytes(head[_SYSSIZE : _SYSSIZE + 4], "little")
    whole = ((head[_SETUP_SECTS] or 4) + 1) * 512 + paragraphs * 16
    if size < whole:
        raise _bad("", f"is cut short: {size} of {whole} bytes")


def parse_whole(content: bytes) -> KernelFacts:
    """The same of a file that is in memory. Raises BadInput if it is no kernel, or cut short."""
    facts = parse_bzimage(content)
    check_length(content, len(content))
    return facts


def newest(a: KernelFacts | None, b: KernelFacts | None) -> Comparison:
    """Compare build numbers. None is a kernel that cannot be read; it loses to any that can, and one without a build
    number to one with it. Raises BadInput if there is nothing to compare: neither has a build number."""
    if a is None and b is None:
        raise BadInput("kernels", [Problem("", "neither of the two can be read")])
    if b is None:
        return Comparison.FIRST
    if a is None:
        return Comparison.SECOND
    first, second = a.build_number, b.build_number
    if first is None and second is None:
        raise BadInput("kernels", [Problem("", f"neither {a.release} nor {b.release} has a build number")])
    if first == second:
        return Comparison.SAME
    if second is None or (first is not None and first > second):
        return Comparison.FIRST
    return Comparison.SECOND


def _version_text(head: bytes) -> str:
    pointer = int.from_bytes(head[_VERSION_POINTER : _VERSION_POINTER + 2], "little")
    if pointer == 0:
        raise _bad(f"offset {_VERSION_POINTER:#x}", "it has no version string")
    start = pointer + 0x200
    setup_end = ((head[_SETUP_SECTS] or 4) + 1) * 512
    if start >= min(setup_end, len(head)):
        raise _bad(f"offset {_VERSION_POINTER:#x}", f"version string at {start:#x} is outside of the set-up code")
    end = head.find(b"\0", start, min(start + _MAX_VERSION, len(head)))
    if end < 0:
        raise _bad(f"offset {start:#x}", "version string does not end")
    return head[start:end].decode("utf-8", "replace").strip()


def _parse_text(text: str) -> KernelFacts:
    match = _TEXT.fullmatch(text)
    if match is None:
        raise _bad("version string", f"cannot be understood: {text[:80]!r}")
    version = match["version"] or ""
    build = _BUILD.match(version)
    return KernelFacts(match["release"], match["builder"] or "", version, int(build[1]) if build else None)


def _bad(place: str, message: str) -> BadInput:
    return BadInput("kernel", [Problem(place, message)])
