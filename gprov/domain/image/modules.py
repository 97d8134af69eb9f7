"""Modules in an image, and whether a kernel can load them: only those of its own release."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.domain.formats.bzimage import KernelFacts, parse_bzimage
from gprov.domain.image.contents import VerifiedImage


def modules_problem(releases: Sequence[str], kernel: KernelFacts) -> str:
    """What follows if an image with modules of these ``releases`` runs with ``kernel``; "" if it has none, or the
    kernel's own."""
    if not releases or kernel.release in releases:
        return ""
    return (
        f"modules of {', '.join(releases)}, none of kernel {kernel.release}: it loads none of them, and what only they "
        "drive or provide does not work"
    )


def module_notes(image: VerifiedImage) -> list[str]:
    """A note if the image holds modules, and none of its own kernel. Raises BadInput if its kernel is none."""
    problem = modules_problem(image.files.module_releases, parse_bzimage(image.files.kernel_start or b""))
    return [f"holds {problem}"] if problem else []
