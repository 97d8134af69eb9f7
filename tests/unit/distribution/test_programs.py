"""The metapackage names the programs of builds and of the lab, and none that only tests use."""

from __future__ import annotations

import pytest

from distribution.programs import PACKAGES, SECTIONS, packages_by_section, programs_of


def test_programs_of_the_sections() -> None:
    programs = programs_of(PACKAGES.read_text())
    assert {"linux-source-6.1", "qemu-system-x86", "ovmf", "build-essential", "mmdebstrap", "hdparm"} <= set(programs)
    assert {"chromium", "strace", "postgresql", "nwipe", "lintian"} & set(programs) == set()
    assert programs == sorted(set(programs))


def test_every_package_is_in_a_section() -> None:
    sections = packages_by_section(PACKAGES.read_text())
    names = [line for line in PACKAGES.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(name for each in sections.values() for name in each) == sorted(names)
    assert len(sections) > len(SECTIONS)


def test_a_section_that_is_gone_is_missed() -> None:
    with pytest.raises(LookupError, match="has no section 'burn-in'"):
        programs_of(PACKAGES.read_text().replace("# burn-in", "# under load"))
