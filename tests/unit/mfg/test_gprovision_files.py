"""``manufData.json`` with every key that gprovision's reader knows, in each spelling that it takes.

Source: gprovision, doc/manufDataSample.json; pkg/mfg/mdata, pkg/mfg/qa, pkg/mfg/configStep, pkg/net/xfer (structures).
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.mfg.manuf import ManufData, parse_manuf

SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
SITE = "http://10.0.2.2:8901"
DISK = {"SizeTolerancePct": 1, "Vendor": "ATA"}
DEVICE = {"HumanDescription": "NIC", "Vendor": "0x8086", "Device": "0x100e", "Class": "0x0200", "Quantity": 1}
# As users of gprovision have it.
DOCUMENT: dict[str, Any] = {
    "_comment1": "unknown keys are ignored",
    "_ApplianceJsonUrl": f"{SITE}/infra/appliance-qemu-ipmi.json",
    "Files": [
        {
            "_Dest": "Image/WIDGET.LNX.SHINY.YYYY-MM-DD.NNNN.upd",
            "Src": f"{SITE}/linux_mfg/Image/WIDGET.LNX.SHINY.2020-01-02.0003.upd",
            "Sha1": SHA1,
        },
        {"Src": f"{SITE}/norm_boot", "Sha1": SHA1},
        {"Src": f"{SITE}/notes.txt", "Dest": "/Image/notes.txt", "Sha1": SHA1},
    ],
    "LogEndpoint": "http://10.0.2.2:65432/",
    "StashFiles": [{"Src": f"{SITE}/linux_mfg/stash.txz", "Sha1": SHA1}],
    "CredentialEndpoint": "pblog",
    "ValidationData": [
        {
            "DevCodeName": "QEMU-mfg-test",
            "RamMegs": 1234,
            "Recovery": {"_comment": "10G", "Size": 10737418240, "Model": "QEMU HARDDISK", "Quantity": 1} | DISK,
            "MainDiskConfigs": [
                [{"Size": 30000000000, "Model": "root30g", "Quantity": 2} | DISK],
                [{"Size": 21474836480, "Model": "roothdd", "Quantity": 2} | DISK],
            ],
            "OUINicsSequential": True,
            "NumOUINics": 1,
            "TotalNics": 1,
            "CPUInfo": {"_comment": "x", "Model": "QEMU Virtual CPU version 2.5+", "Cores": 4, "Sockets": 4},
            "FirmwareVer": {"BIOS": "1.0", "IPMI": "2.3", "FRU": "1", "ME": "3"},
            "Devices": {"PCI": [DEVICE], "USB": [{"Vendor": "0x1", "Device": "0x2", "Quantity": 0}]},
            "SerNumRegex": "^LAB",
            "DmiMatches": {"bios-vendor": "SeaBIOS", "_bios-version": "any"},
        }
    ],
    "CustomPlatCfgSteps": [
        {
            "DevCodeName": "QEMU-mfg-test",
            "ConfigSteps": [
                {
                    "Name": "Example step",
                    "When": "RunAfterImaging",
                    "Verbose": True,
                    "Files": [{"Src": f"{SITE}/sampleCmd.sh", "Sha1": SHA1}],
                    "Commands": [
                        {
                            "Command": "chmod +x {{.DLDir}}/sampleCmd.sh",
                            "ExitStatus": "ESMustSucceed",
                            "AddPath": "",
                            "AddLibPath": "",
                        },
                        {"Command": "ls -lR {{ .RecoveryDir }} "},
                    ],
                }
            ],
        }
    ],
}


Path = tuple[str | int, ...]
STEP: Path = ("CustomPlatCfgSteps", 0, "ConfigSteps", 0)
COMMAND: Path = (*STEP, "Commands", 0)
SPEC: Path = ("ValidationData", 0)


def changed(path: Path, value: Any) -> dict[str, Any]:
    document = deepcopy(DOCUMENT)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def parsed(document: dict[str, Any]) -> ManufData:
    return parse_manuf("manufData.json", json.dumps(document).encode(), Branding())


def test_such_a_file_has_no_problems_and_no_key_is_unknown() -> None:
    data = parsed(DOCUMENT)
    assert len(data.files) == 3
    assert not [str(warning) for warning in data.warnings if "no key of this name" in str(warning)]
    spec = data.spec_for("QEMU-mfg-test")
    assert spec is not None
    assert len(data.steps_for("QEMU-mfg-test").steps) == 1


@pytest.mark.parametrize("when", ["BeforeQA", "AfterQA", "BeforeImaging", "AfterImaging", "BeforeMfg", "AfterMfg"])
@pytest.mark.parametrize("spelling", ["{}", "Run{}"])
def test_points_of_steps_in_any_spelling(when: str, spelling: str) -> None:
    step_entry: dict[str, Any] = {"Name": "a", "Files": [], "Commands": [{"Command": "true"}]}
    for text in (spelling.format(when), spelling.format(when).lower()):
        (step,) = parsed(changed(STEP, step_entry | {"When": text})).steps_for("QEMU-mfg-test").steps
        assert step.when.value == when


@pytest.mark.parametrize("status", ["MustSucceed", "DontCare", "MustFail"])
def test_statuses_of_commands_in_any_spelling(status: str) -> None:
    for text in (status, f"ES{status}", f"es{status}".lower()):
        (step,) = parsed(changed((*COMMAND, "ExitStatus"), text)).steps_for("QEMU-mfg-test").steps
        assert step.commands[0].exit_status.value == status


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("Files", 0, "Src"), "/mnt/key/file", "publish the file, and write its URL"),
        (("Files", 0, "Sha1"), "updsum", "must be 40 hexadecimal digits"),
        (("Files", 2, "Dest"), "image/notes.txt", "Image"),
        (("CredentialEndpoint",), "CredEndpt", 'for the server of LogEndpoint write "pblog", or leave the key out'),
        ((*SPEC, "FirmwareVer", "SDR"), "2", "compare it in a step (BeforeQA)"),
        ((*STEP, "When"), "AfterLunch", "AfterImaging"),
        ((*COMMAND, "ExitStatus"), "ESWhatever", "MustFail"),
        ((*COMMAND, "Command"), "echo {{.Nonsense}}", "Nonsense"),
    ],
)
def test_what_does_not_act_is_refused_with_what_replaces_it(path: Path, value: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        parsed(changed(path, value))
    place = "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    texts = [str(problem) for problem in caught.value.problems if str(problem).startswith(place)]
    assert any(told in text for text in texts), caught.value.details()


def test_the_endpoints_of_its_log_server() -> None:
    data = parsed(changed(("LogEndpoint",), "10.0.2.2:65432"))
    assert data.log_endpoint == "http://10.0.2.2:65432/"
    assert data.credential_endpoint == ""
