"""A kernel on a mounted volume: is it whole, and which one is it."""

from __future__ import annotations

from gprov.domain.formats.bzimage import KERNEL_START, KernelFacts, check_length, parse_bzimage
from gprov.ports.files import Files


def read_kernel(files: Files, path: str) -> KernelFacts:
    """All of it is read: a folder may still have the length of a file whose blocks are lost. Raises DeviceMissing,
    DeviceFault, BadInput (no kernel, or cut short)."""
    head = files.read_start(path, KERNEL_START)
    facts = parse_bzimage(head)
    check_length(head, files.digests(path).size)
    return facts
