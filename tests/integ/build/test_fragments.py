"""Shipped fragments and wrong ones, against Kconfig of the real kernel source. Nothing is compiled."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.kconfig import MODULE, parse_config
from gprov.apps.host.initramfs.kernel_settings import KernelChoice, configuration, shipped_choice, shipped_fragments
from gprov.apps.host.initramfs.kernel_source import configure, unpacked_source
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.domain.errors import BadInput

CHECKOUT = Path(__file__).parents[3]
FOLDER = str(CHECKOUT / "buildroot/kernel")
PROCESSES = SystemProcesses()


@pytest.fixture(scope="module")
def source() -> str:
    return unpacked_source(PROCESSES, Cache(default_root(os.environ)), BuildProgress(sys.stderr))


def configured(source: str, work: Path, fragments: list[str], *, modules: bool) -> dict[str, str]:
    """The final configuration."""
    shipped = shipped_choice(FOLDER)
    choice = KernelChoice(shipped.settings.with_options(fragments, modules, [], None), shipped.base, FOLDER)
    configure(PROCESSES, source, str(work), configuration(choice).settings)
    return dict(parse_config((work / ".config").read_text(), ".config"))


@pytest.mark.parametrize("names", [["server"], ["fleet"]])
def test_shipped_fragments_alone(names: list[str], source: str, tmp_path: Path) -> None:
    """Kconfig applies every symbol, also without modules."""
    result = configured(source, tmp_path, names, modules=False)
    assert MODULE not in result.values()


def test_all_shipped_fragments_together(source: str, tmp_path: Path) -> None:
    result = configured(source, tmp_path, shipped_fragments(FOLDER), modules=True)
    assert MODULE in result.values()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("CONFIG_WIREGARD=y", "CONFIG_WIREGARD: requested y, final configuration: n"),  # misspelt
        ("CONFIG_SECURITY_APPARMOR=y", "CONFIG_SECURITY_APPARMOR: requested y, final configuration: n"),  # no SECURITY
        ("# CONFIG_FW_LOADER is not set", "CONFIG_FW_LOADER: requested n, final configuration: y"),  # others select it
    ],
)
def test_what_kconfig_does_not_apply_is_told_with_its_line(line: str, said: str, source: str, tmp_path: Path) -> None:
    own = tmp_path / "own.config"
    own.write_text(f"# Of our own.\n{line}\n")
    with pytest.raises(BadInput) as caught:
        configured(source, tmp_path, [str(own)], modules=False)
    assert caught.value.details() == (f"{own}:2: {said}",)
