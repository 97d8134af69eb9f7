"""Our reading of ELF files against the loader's own answer."""

from __future__ import annotations

import os

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.libraries import Libraries

LOADER = "/lib64/ld-linux-x86-64.so.2"


@pytest.mark.parametrize("program", ["/usr/bin/python3.11", "/usr/bin/tar", "/usr/sbin/mke2fs", "/usr/bin/openssl"])
def test_same_closure_as_the_loader(program: str) -> None:
    if not os.path.exists(program):
        pytest.skip(f"{program} is not installed")
    listed = SystemProcesses().run((LOADER, "--list", program)).output.decode()
    expected = {os.path.realpath(line.split(" => ")[1].split()[0]) for line in listed.splitlines() if " => " in line}
    libraries = Libraries()
    libraries.add_dependencies_of(program)
    assert set(libraries.files().values()) == expected | {os.path.realpath(LOADER)}
