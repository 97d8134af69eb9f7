"""What ``gprov build`` prints about its products."""

from __future__ import annotations

from gprov.apps.host.initramfs.builds import Initramfs, Kernel
from gprov.apps.host.initramfs.kernel_settings import KernelSettings
from gprov.apps.host.initramfs.parts import PartSize, report_lines
from gprov.apps.host.initramfs.spec import Flavor


def modules_note(settings: KernelSettings, flavor: Flavor) -> str:
    """How to get modules that were built and not written; "" if there are none, or no system runs on the kernel."""
    if not settings.modules or flavor is not Flavor.NORMAL:
        return ""
    return "modules: not written; --system-tree FILE writes the archive of them for the image"


def kernel_document(built: Kernel, settings: KernelSettings) -> dict[str, object]:
    return {
        "release": built.release,
        "size": built.size,
        "budget": settings.largest,
        "fragments": list(settings.fragments),
        "replaced": list(built.replaced),
        "modules": settings.modules,
        "firmware": list(settings.firmware),
    }


def kernel_report(built: Kernel, settings: KernelSettings) -> list[str]:
    """Lines about the kernel itself: size and budget, release, fragments, and what these replace of the base."""
    fragments = ", ".join(settings.fragments) or "none"
    modules = "with modules" if settings.modules else "no modules"
    return [
        f"{built.size:>12,}  kernel {built.release} without initramfs, budget {settings.largest:,}",
        f"{'':14}fragments: {fragments}; {modules}",
        *(f"{'':14}replaced: {line}" for line in built.replaced),
    ]


def part_document(each: PartSize) -> dict[str, object]:
    return {"kind": each.part.kind.name.lower(), "name": each.part.name, "size": each.size, "files": each.files}


def size_report(initramfs: Initramfs) -> list[str]:
    """Lines of a table: programs, databases, libraries and so on, with their bytes before compression."""
    rows = report_lines(initramfs.sizes)
    return [*rows, f"{initramfs.raw_size:>12,}  archive", f"{len(initramfs.content):>12,}  compressed"]


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
