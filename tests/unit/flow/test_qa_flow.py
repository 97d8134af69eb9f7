"""The QA document of a simulated unit: what provisioning did is on it, and an adopter's template is used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from html import unescape
from typing import cast

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.factory_files import BASE_URL
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.apps.mfg.container import MfgContainer
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.errors import BadInput
from gprov.domain.events import ProcessState
from gprov.domain.files import FileType
from gprov.domain.formats.json.value import Json
from gprov.ports.process import Completed
from tests.unit.flow.driver import UnitDriver

DOCUMENT = f"{SERIAL}_qav.htm"
SECRETS = (f"os-{SERIAL}", f"bios-{SERIAL}", f"ipmi-{SERIAL}")
TEMPLATE = "/etc/gprov/qa-document.htm"


def echo(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    return Completed(3 if "three" in argv else 0, b"", b"")


@pytest.fixture
def unit(blank: UnitDriver) -> UnitDriver:
    def slow(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        blank.machine.clock.advance(2.5)
        return echo(argv, env, stdin)

    blank.processes.programs |= {"echo": echo, "slow": slow}
    return blank


def with_steps(unit: UnitDriver, *steps: tuple[str, str, str]) -> None:
    """Point, command and exit status of each."""
    listed: list[Json] = [
        {"Name": f"step {number}", "When": when, "Commands": [{"Command": command, "ExitStatus": wanted}]}
        for number, (when, command, wanted) in enumerate(steps)
    ]
    unit.change_manuf(CustomPlatCfgSteps=[{"DevCodeName": "QEMU-mfg-test", "ConfigSteps": listed}])


def delivered(unit: UnitDriver) -> str:
    return unescape(unit.factory.documents[DOCUMENT])


def rows(text: str) -> list[str]:
    return [" | ".join(cell.partition(">")[2] for cell in row.split("<td")[1:]) for row in text.split("<tr>")]


def test_the_document_states_steps_files_and_disks(unit: UnitDriver) -> None:
    with_steps(
        unit,
        ("BeforeQA", "slow {{.Serial}}", "MustSucceed"),
        ("BeforePWSet", "echo {{.BiosPass}} three", "DontCare"),
        ("AfterPWSet", "echo {{.IpmiPass}} {{.OSPass}}", "MustSucceed"),
    )
    assert unit.provision() is StopReason.REBOOT
    text = delivered(unit).replace("</td>", "").replace("</tr>\n", "")
    found = rows(text)
    assert f"BeforeQA | step 0 | slow {SERIAL} | 0 (MustSucceed) | 2.5 s" in found
    assert "BeforePWSet | step 1 | echo '***' three | 3 (DontCare) | 0.0 s" in found
    for secret in SECRETS:
        assert secret not in text
    image = unit.origin.content[f"{BASE_URL}/{IMAGE_NAME}"]
    kernel = unit.origin.content[f"{BASE_URL}/norm_boot"]
    for content, path, note in (
        (image, f"Image/{IMAGE_NAME}", "image of 2026-01-15, build 1"),
        (kernel, "ESP/norm_boot", "boot kernel: Linux "),
    ):
        row = f"{path} | {len(content):,} bytes | {hashlib.sha256(content).hexdigest()} | {note}"
        assert any(one.startswith(row) for one in found), row
    assert any(one.startswith("/dev/sda | PRIMARY |") for one in found)
    assert any(one.startswith("/dev/sdb | RECOVERY |") for one in found)
    assert "BIOS, handed to steps" in text
    assert "Linux 6.1.0 #7" in text


def test_the_times_are_those_of_the_server_though_the_clock_was_wrong(unit: UnitDriver) -> None:
    unit.factory.clock_ns = 1_796_000_000_000_000_000
    with_steps(unit, ("BeforeQA", "slow", "MustSucceed"), ("AfterImaging", "slow", "MustSucceed"))
    assert unit.provision() is StopReason.REBOOT
    text = delivered(unit)
    started, ended = (text.partition(f"{word} (UTC)</th><td>")[2][:24] for word in ("Started", "Ended"))
    assert started[:10] == ended[:10] == "2026-11-30"
    assert started < ended


def put_template(unit: UnitDriver, content: bytes) -> None:
    """The initramfs of the unit holds it at every start."""

    def install(container: UnitContainer) -> None:
        unit.machine.ram.current.put(TEMPLATE, Node(type=FileType.FILE, content=content))

    unit.world.install = install


def test_the_template_of_an_adopter_is_used(unit: UnitDriver) -> None:
    put_template(unit, b"<h1>{{serial}}: {{result}}</h1>")
    assert unit.provision() is StopReason.REBOOT
    assert delivered(unit) == f"<h1>{SERIAL}: Provisioned; the hardware is as specified</h1>"


def test_an_adopter_may_name_another_file(unit: UnitDriver) -> None:
    def install(container: UnitContainer) -> None:
        unit.machine.ram.current.put("/etc/own.htm", Node(type=FileType.FILE, content=b"{{serial}}!"))
        # Instances of containers are not instances of their classes.
        set_value(cast("MfgContainer", container).qa_template_file, "/etc/own.htm")

    unit.world.install = install
    assert unit.provision() is StopReason.REBOOT
    assert delivered(unit) == f"{SERIAL}!"


def test_a_template_with_an_unknown_placeholder_is_refused_before_anything_is_written(unit: UnitDriver) -> None:
    put_template(unit, b"<h1>{{serial}}</h1>\n{{nosuch}}")
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, BadInput)
    assert f"{TEMPLATE}: line 2: unknown placeholder {{{{nosuch}}}}" in str(error)
    assert unit.machine.media_state() == before
    assert unit.factory.states == [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]


def test_a_unit_identified_by_fallback_gets_no_document(unit: UnitDriver) -> None:
    unit.machine.smbios = unit.machine.smbios.replace(b"GPROV_QEMU", b"OTHER_QEMU")
    assert unit.provision(PROTO_IDENT="QEMU-mfg-test") is StopReason.REBOOT
    assert unit.factory.documents == {}
    assert "identified by fallback: no QA document" in unit.warnings()
