"""A system of the next Debian release on a unit: systemd 257, and a resolver that links the cryptographic libraries."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ext_volume
from gprov.apps.unit.composition.wiring import set_value

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

SUITE = "trixie"
ROOT = 1
SCENARIO = """
set -e
. /etc/os-release
echo "release $VERSION_CODENAME"
systemctl --version | head -n 1
systemctl is-active systemd-resolved systemd-networkd
resolvectl query --legend=no localhost
if journalctl --boot --no-pager | grep -e 'invalid opcode' -e 'status=4/ILL'; then exit 1; fi
"""


@pytest.fixture
def lab(container: LabContainer, products: Products, tmp_path: Path) -> Iterator[LabContainer]:
    """A lab whose image has a root of the other suite; its kernels are those of all other tests."""
    found = LabContainer()
    set_value(found.suite, SUITE)
    set_value(found.progress, container.progress())
    built = found.products()
    assert (built.normal_kernel, built.provision_kernel) == (products.normal_kernel, products.provision_kernel)
    assert built.image != products.image
    yield found
    shutil.rmtree(tmp_path / "unit", ignore_errors=True)


def test_a_unit_gets_and_starts_the_system_of_another_release(lab: LabContainer, tmp_path: Path) -> None:
    unit, provisioned = lab.lab().provision(str(tmp_path / "unit"), VirtualUnitSpec())
    assert provisioned.passed, "\n".join([provisioned.reason, *provisioned.tail])
    restored = lab.lab().restore(unit)
    assert restored.passed, "\n".join([restored.reason, *restored.tail])
    (tmp_path / "scenario").write_text(SCENARIO)
    with ext_volume(SystemProcesses(), unit.primary(), ROOT, writable=True) as root:
        root.add(str(tmp_path / "scenario"), "/usr/lib/gprov-lab/scenario")

    started = lab.lab().boot(unit)
    assert started.passed, "\n".join([started.reason, *started.tail])
    assert started.system
    assert (started.system.facts["failed"], started.system.facts["online"]) == ("", True)
    outcome = str(started.system.facts["outcome"])
    assert outcome.startswith(f"release {SUITE} systemd 257 "), outcome
    assert "active active localhost: 127.0.0.1" in outcome, outcome
    assert outcome.endswith("status 0"), outcome
