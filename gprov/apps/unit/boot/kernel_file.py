"""Reading a kernel on a mounted volume, to check that it is complete."""

from __future__ import annotations

from gprov.domain.formats.bzimage import KERNEL_START, KernelFacts, check_length, parse_bzimage
from gprov.ports.files import Files


def read_kernel(files: Files, path: str) -> KernelFacts:
    """Read the whole file: a folder entry may have the right length while blocks of the file are lost. Raises
    DeviceMissing, DeviceFault, BadInput (not a kernel, or truncated)."""
    head = files.read_start(path, KERNEL_START)
    facts = parse_bzimage(head)
    check_length(head, files.read_through(path))
    return facts
