"""Kernels of which FAT kept only the first half: they count as damaged, though their headers are whole. Kernels without
the modules that an image holds."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from tests.unit.flow.driver import KERNELS, NEWER, UnitDriver


def halve(unit: UnitDriver, path: str) -> None:
    content = unit.read("ESP", path)
    unit.put("ESP", path, content[: len(content) // 2])


@pytest.mark.parametrize("path", KERNELS)
def test_the_next_restore_makes_both_kernels_whole_again(flagless: UnitDriver, path: str) -> None:
    halve(flagless, path)
    assert flagless.settle() == ("reboot", "switched root")
    assert [flagless.read("ESP", place) for place in KERNELS] == [build_kernel(100)] * 2


def test_the_only_whole_kernel_is_not_replaced_before_the_other_is_whole(flagless: UnitDriver) -> None:
    """The restore of a newer kernel replaces the damaged copy first, since power may go while a file is replaced."""
    halve(flagless, KERNELS[0])
    flagless.add_image(kernel=101)
    names = flagless.operations()
    replaced = [name.rsplit("/ESP", 1)[1] for name in names if name.startswith("put in place") and "/ESP/" in name]
    assert replaced == list(KERNELS)


def test_a_restore_frees_the_blocks_that_cuts_left_in_use_on_the_esp(flagless: UnitDriver) -> None:
    """Otherwise no new kernel would fit after some cuts, and RECOVERY would keep the old one."""
    flagless.add_image(kernel=101)
    esp = flagless.volume("ESP")
    esp.lost_bytes = esp.size - esp.current.size()
    assert flagless.settle() == ("reboot", "switched root")
    assert [flagless.read("ESP", place) for place in KERNELS] == [build_kernel(101)] * 2
    assert esp.lost_bytes == 0


@pytest.mark.parametrize(("build", "told"), [(99, True), (101, False)])
def test_a_kernel_that_stays_without_its_modules_is_told(flagless: UnitDriver, build: int, told: bool) -> None:
    """RECOVERY's kernel #100 stays unless the image's is newer. The unit is restored in both cases."""
    release = f"6.1.0-gprov.{build}.a1b2c3d4"
    modules = {f"usr/lib/modules/{release}/modules.dep": b""}
    flagless.put("RECOVERY", f"/Image/{NEWER}", build_image(build_kernel(build, release), extra=modules))
    assert flagless.settle() == ("reboot", "switched root")
    assert (f"modules of {release}, none of kernel 6.1.0" in flagless.warnings()) == told
