"""One unit goes through its whole life once for each version of what it is made of; scenarios run on overlays of it."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TextIO, cast

import pytest
from typing_extensions import override

import gprov
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.cache import content_key
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import Lab
from gprov.apps.host.lab.machine import DiskBus, Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.report import RunFacts, lab_report
from gprov.apps.host.lab.runner import RunningMachine
from gprov.apps.host.lab.scenario import CutScenario, CutStage
from gprov.apps.host.lab.stage import Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec, spec_text
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.branding import Branding
from gprov.domain.image.name import ImageName
from tests.integ.vm.stored_passwords import stored_passwords

HOST_PROCESSES = "host-processes.json"
_NEWER = ImageName(date(2024, 2, 1), 2, "0002", Branding().image_prefix)
_UNITS = "units"
# More than one run of all tests makes: they look at some of them again and again.
_UNITS_KEPT = 18
_TOOLS = ("qemu-system-x86_64", "qemu-img", "qemu-storage-daemon", "mmdebstrap", "debugfs", "sfdisk", "mdir")

# Files that take minutes begin first, so that all processes of pytest-xdist end at about the same time. The first ones
# use different units: a process that needs a unit which another is making waits for it.
_FIRST = (
    "test_power_cuts.py",
    "test_contract_in_vm.py",
    "test_lifecycle.py",
    "test_netboot.py",
    "test_raid.py",
    "test_restore.py",
    "test_bmc.py",
    "test_good_boots.py",
    "test_boot_entries.py",
    "test_erase.py",
    "test_bios.py",
)

RunStage = Callable[..., StageResult]
PrepareUnit = Callable[[VirtualUnitSpec], VirtualUnit]
ScenarioOf = Callable[[CutStage, VirtualUnitSpec], CutScenario]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests of this folder by file. Raises ValueError for a name in ``_FIRST`` without a file."""
    folder = Path(__file__).parent
    unknown = [name for name in _FIRST if not (folder / name).exists()]
    if unknown:
        raise ValueError(f"_FIRST in {__file__}: no such files: {', '.join(unknown)}")
    ranks = {folder / name: number for number, name in enumerate(_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)) if item.path.parent == folder else -1)


@pytest.fixture(scope="session")
def container(request: pytest.FixtureRequest) -> LabContainer:
    missing = [tool for tool in _TOOLS if SystemProcesses().which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("building a root file system needs root")
    container = LabContainer()
    set_value(container.progress, BuildProgress(cast(TextIO, _Terminal(request.config))))
    return container


@pytest.fixture(scope="session")
def products(container: LabContainer) -> Products:
    return container.products()


@pytest.fixture(scope="session")
def prepared_as(container: LabContainer, products: Products) -> PrepareUnit:
    """``prepared_as(specification)`` → a unit that was provisioned, restored and started, with the report and the logs
    of that. Never started again."""

    return _preparation(container, products)


@pytest.fixture(scope="session")
def small_products(container: LabContainer) -> Products:
    """Both kernels, and an image of a few megabytes."""
    return container.small_products()


@pytest.fixture(scope="session")
def small_prepared_as(container: LabContainer, small_products: Products) -> PrepareUnit:
    """As ``prepared_as``; the unit's system is the lab's small one, which fits disks of any size."""
    return _preparation(container, small_products)


@pytest.fixture(scope="session")
def prepared(prepared_as: PrepareUnit) -> VirtualUnit:
    """The usual unit: UEFI, one SATA disk, Debian with systemd."""
    return prepared_as(VirtualUnitSpec())


@pytest.fixture
def debian_overlay(container: LabContainer, prepared: VirtualUnit, tmp_path: Path) -> Iterator[VirtualUnit]:
    """The prepared unit as this test may spoil it. For what needs its systemd: its starts and restores cost twice as
    much as those of the small system."""
    yield prepared.overlay(str(tmp_path / "unit"), container.processes())
    shutil.rmtree(tmp_path / "unit")


@pytest.fixture
def overlay(small_overlay_as: PrepareUnit) -> VirtualUnit:
    """A prepared unit with the small system, as this test may spoil it: UEFI, one SATA disk."""
    return small_overlay_as(unit_spec("small"))


@pytest.fixture(scope="session")
def cut_scenario(container: LabContainer, small_prepared_as: PrepareUnit) -> ScenarioOf:
    """``cut_scenario(stage, specification)``; made from a copy of the prepared unit."""

    def scenario(stage: CutStage, spec: VirtualUnitSpec) -> CutScenario:
        def copied(folder: str) -> VirtualUnit:
            unit = small_prepared_as(spec).overlay(folder, container.processes())
            unit.detach(container.processes())
            return unit

        return container.scenarios().scenario(stage, spec, copied)

    return scenario


@pytest.fixture
def small_overlay_as(container: LabContainer, small_prepared_as: PrepareUnit, tmp_path: Path) -> Iterator[PrepareUnit]:
    """``small_overlay_as(specification)`` → a prepared unit with the small system as this test may spoil it. All units
    that differ only in the buses of their data disks are copies of one with SATA disks."""

    def overlay(spec: VirtualUnitSpec) -> VirtualUnit:
        made = small_prepared_as(replace(spec, primaries=(DiskBus.AHCI,) * len(spec.primaries)))
        return VirtualUnit(made.overlay(str(tmp_path / "unit"), container.processes()).folder, spec)

    yield overlay
    shutil.rmtree(tmp_path / "unit", ignore_errors=True)


@pytest.fixture(scope="session")
def run_stage(container: LabContainer) -> RunStage:
    def run(
        name: str,
        unit: VirtualUnit,
        expected: Expectation,
        machine: Machine | None = None,
        during: Callable[[RunningMachine], None] = lambda _: None,
    ) -> StageResult:
        result: StageResult = container.stages().run(
            name, machine or unit.machine(), unit.serial_log(name), expected, during
        )
        assert result.passed, "\n".join([result.reason, *result.tail])
        return result

    return run


@pytest.fixture(scope="session")
def newer_image(
    container: LabContainer, small_products: Products, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, bytes]:
    """Path of an image with the small system whose kernel has a higher build number, and that kernel."""
    kernel = _renumbered(Path(small_products.normal_kernel).read_bytes(), 9)
    path = tmp_path_factory.mktemp("kernel") / "norm_boot"
    path.write_bytes(kernel)
    return container.small_images().image(str(path), _NEWER), kernel


def _preparation(container: LabContainer, products: Products) -> PrepareUnit:
    def prepare(spec: VirtualUnitSpec) -> VirtualUnit:
        cache, note = container.cache(), container.progress().note
        key = content_key(json.dumps(products.digests()), spec_text(spec), *_sources())
        # Different ones may be made side by side.
        with cache.lock(f"{_UNITS}-{content_key(spec_text(spec))}", lambda: note("prepared unit: being made already")):
            found = cache.find(_UNITS, key)
            if found is None:
                note("prepared unit: making one")
                found = cache.publish(_UNITS, key, lambda folder: _live(container, products, folder, spec))
        with cache.lock(_UNITS, lambda: None):
            cache.keep_newest(_UNITS, _UNITS_KEPT)
        return VirtualUnit.open(found)

    return prepare


def _renumbered(kernel: bytes, number: int) -> bytes:
    """The same kernel with another build number in the version string of its header (Linux boot protocol 2.00+)."""
    (pointer,) = struct.unpack_from("<H", kernel, 0x20E)
    start = 0x200 + pointer
    end = kernel.index(b"\0", start)
    version = kernel[start:end]
    changed = re.sub(rb"#(\d+)", b"#%d" % number, version, count=1)
    assert len(changed) == len(version)
    return kernel[:start] + changed + kernel[end:]


def _live(container: LabContainer, products: Products, folder: str, spec: VirtualUnitSpec) -> None:
    with _processes_of_the_host() as seen:
        unit, results = Lab(container.processes(), container.stages(), lambda: products).lifecycle(folder, spec)
    # Environments of this machine's processes may hold secrets: only the number of those with one is kept.
    credentials = stored_passwords(unit)
    secrets = [each.reveal().encode() for each in (credentials.os, credentials.bios, credentials.ipmi)]
    leaks = sum(any(secret in environment for secret in secrets) for environment in seen.environments)
    lines = sorted(line.decode(errors="replace") for line in seen.command_lines)
    told = {"argv": lines, "environments": len(seen.environments), "environments_with_a_secret": leaks}
    Path(unit.path(HOST_PROCESSES)).write_text(json.dumps(told))
    facts = RunFacts(
        spec.firmware.value, unit.spec.serial, container.accelerator().choose().name.lower(), products.digests()
    )
    Path(unit.path("report.json")).write_text(json.dumps(lab_report(facts, results), indent=2))
    failed = [result for result in results if not result.passed]
    assert not failed, "\n".join([f"{failed[0].name}: {failed[0].reason}", *failed[0].tail])


def _sources() -> Iterator[bytes]:
    """What of the host takes part in a lifecycle, besides the products: the lab and the server."""
    package = Path(gprov.__file__).parent
    for folder in ("apps/host/lab", "apps/server", "domain/factory"):
        for path in sorted((package / folder).rglob("*.py")):
            yield path.read_bytes()


@dataclass
class _Seen:
    command_lines: set[bytes] = field(default_factory=set)
    environments: set[bytes] = field(default_factory=set)


@contextmanager
def _processes_of_the_host() -> Iterator[_Seen]:
    """Command line and environment of each process that polling finds on this machine while the context lasts."""
    seen = _Seen()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            for name in filter(str.isdecimal, os.listdir("/proc")):
                try:
                    seen.command_lines.add(Path("/proc", name, "cmdline").read_bytes().replace(b"\0", b" "))
                    seen.environments.add(Path("/proc", name, "environ").read_bytes())
                except OSError:
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


class _Terminal(io.StringIO):
    """Progress goes where pytest reports, also while it captures output. Processes of pytest-xdist have only standard
    error for that, which shows with -s."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__()
        self._worker = os.environ.get("PYTEST_XDIST_WORKER")
        self._terminal = None if self._worker else config.get_terminal_writer()

    @override
    def write(self, text: str) -> int:
        if self._terminal is None:
            os.write(2, f"{self._worker} {text.rstrip()}\n".encode())
        else:
            self._terminal.line()
            self._terminal.write(text.rstrip("\n"))
            self._terminal.flush()
        return len(text)
