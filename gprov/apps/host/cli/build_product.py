"""Output of ``gprov build kernel`` and ``initramfs``."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.host.cli.build_report import kernel_document, kernel_report, megabytes, part_document, size_report
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.initramfs.builds import Initramfs, Kernel
from gprov.apps.host.initramfs.kernel_settings import KernelSettings


@dataclass(frozen=True, slots=True)
class KernelFacts:
    number: int
    built: Kernel
    settings: KernelSettings


@dataclass(frozen=True, slots=True)
class Product:
    """``kernel``: None for an initramfs. ``size``: of the file."""

    path: str
    size: int
    initramfs: Initramfs
    kernel: KernelFacts | None = None


def print_product(product: Product, *, report: bool, as_json: bool) -> None:
    initramfs, kernel = product.initramfs, product.kernel
    packed = len(initramfs.content)
    if as_json:
        parts = [part_document(each) for each in initramfs.sizes]
        sizes = {"initramfs_size": packed, "initramfs_unpacked": initramfs.raw_size, "parts": parts}
        number = kernel.number if kernel is not None else None
        facts = kernel_document(kernel.built, kernel.settings) if kernel is not None else None
        document({"path": product.path, "size": product.size, "build_number": number, **sizes, "kernel": facts})
        return
    if report:
        for line in size_report(initramfs):
            say(line)
        for line in kernel_report(kernel.built, kernel.settings) if kernel is not None else []:
            say(line)
    if kernel is None:
        say(f"{product.path}: {megabytes(packed)} ({megabytes(initramfs.raw_size)} unpacked)")
    else:
        say(f"{product.path}: {megabytes(product.size)}, initramfs {megabytes(packed)}, build #{kernel.number}")
