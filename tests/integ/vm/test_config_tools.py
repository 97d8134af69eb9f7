"""A unit whose platform names a configuration tool, which a step brings along: AHCI, settings, password of the BIOS.

The tool is examples/adopter/tools/acme-setup. It keeps the setup in a variable of the real firmware.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.factory import factory_for
from gprov.apps.host.lab.lifecycle import PROVISIONED, UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import INIT_STARTED, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VARIABLES, VirtualUnitSpec
from gprov.domain.events import ProcessState
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_entry
from tests.integ.vm.stored_passwords import stored_passwords

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

TOOL = Path(__file__).parents[3] / "examples/adopter/tools/acme-setup"
SETTINGS = b"fast = yes\n"
STARTS = 3
# A start that ends in a restart for the firmware: neither success nor failure.
RESTARTED = replace(PROVISIONED, ending=Ending.RESET, milestones=(INIT_STARTED, ProcessState.MFG_STARTED.value))
ARGUMENTS = (*UNIT_ARGUMENTS, "PROVISION_MFG_TEST=Allow-external-json")


def served(folder: Path, url: str, name: str, content: bytes) -> dict[str, str]:
    (folder / name).write_bytes(content)
    return {"Src": f"{url}/files/{name}", "Sha256": hashlib.sha256(content).hexdigest()}


def with_tool(folder: Path, url: str, code_name: str) -> None:
    """Let manufData.json name the platform table with the tool, its settings, and a step that installs it."""
    tool = served(folder, url, "acme-setup", TOOL.read_bytes())
    commands = ("cp {{.DLDir}}/acme-setup /usr/local/bin/", "chmod +x /usr/local/bin/acme-setup")
    step = {"Name": "tool", "When": "BeforeQA", "Files": [tool], "Commands": [{"Command": text} for text in commands]}
    platform = next(each for each in default_table() if each.code_name == code_name)
    table = {"Variants": [platform_entry(replace(platform, bios_config_tool="acme-setup"))]}
    (folder / "appliance.json").write_text(json.dumps(table))
    path = folder / "manufData.json"
    document = json.loads(path.read_text())
    document["ApplianceJsonUrl"] = f"{url}/files/appliance.json"
    entry = {"DevCodeName": code_name, "ConfigSteps": [step], "BiosSettings": served(folder, url, "bios.ini", SETTINGS)}
    document["CustomPlatCfgSteps"] = [entry]
    del document["StashFiles"]  # its script needs what another step leaves
    path.write_text(json.dumps(document))


@pytest.fixture(scope="module")
def unit(
    container: LabContainer, small_products: Products, tmp_path_factory: pytest.TempPathFactory
) -> tuple[VirtualUnit, list[StageResult]]:
    """Provisioned in three starts: the tool asks for a restart after the storage mode, and after the settings."""
    spec = VirtualUnitSpec()
    unit = VirtualUnit.create(str(tmp_path_factory.mktemp("tool") / "unit"), spec, container.processes())
    results = []
    with factory_for(container.processes(), unit, "") as factory:
        factory.server.publish(small_products.published(), spec)
        with_tool(Path(factory.server.folder) / "files", factory.server.guest_url, spec.code_name)
        arguments = (*factory.server.arguments, *ARGUMENTS)
        machine = factory.machine(unit).booting(DirectKernel(small_products.provision_kernel, arguments))
        for number in range(1, STARTS + 1):
            expected = PROVISIONED if number == STARTS else RESTARTED
            name = f"provision-{number}"
            result = container.stages().run(name, machine, unit.serial_log(name), expected)
            assert result.passed, "\n".join([result.reason, *result.tail])
            results.append(result)
    return unit, results


def log(unit: VirtualUnit, number: int) -> str:
    return Path(unit.serial_log(f"provision-{number}")).read_text(errors="replace")


def test_each_start_changes_one_thing(unit: tuple[VirtualUnit, list[StageResult]]) -> None:
    machine, results = unit
    succeeded = [[each.name for each in result.milestones].count("MFG_SUCCEEDED") for result in results]
    assert succeeded == [0, 0, 1]
    assert "Storage mode is raid; changing it to ahci" in log(machine, 1)
    assert "storage mode changed: the unit restarts" in log(machine, 1)
    assert "BiosSettings changed: the unit restarts" in log(machine, 2)
    assert "Storage mode is" not in log(machine, 2)
    assert "BiosSettings: was right already" in log(machine, 3)
    assert "BIOS password: changed" in log(machine, 3)


def test_the_firmware_has_mode_settings_and_password(unit: tuple[VirtualUnit, list[StageResult]]) -> None:
    """Read from OVMF's variable store on this host."""
    machine, _ = unit
    variables = Path(machine.path(VARIABLES)).read_bytes()
    credentials = stored_passwords(machine)
    digest = hashlib.sha256(credentials.bios.reveal().encode()).hexdigest()
    last = f"storage=ahci\nsettings={hashlib.sha256(SETTINGS).hexdigest()}\npassword={digest}\n"
    assert last.encode() in variables
    for number in range(1, STARTS + 1):
        assert credentials.bios.reveal() not in log(machine, number)


def test_nothing_was_written_before_the_last_restart(unit: tuple[VirtualUnit, list[StageResult]]) -> None:
    machine, _ = unit
    for number in (1, 2):
        assert not re.search("create partition table|make file system", log(machine, number), re.IGNORECASE)
    assert re.search("partition table", log(machine, 3), re.IGNORECASE)
