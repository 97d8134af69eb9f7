"""manufData.json as a whole: what is read, what is refused and where, what is only warned about."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, GprovError
from gprov.domain.mfg.config_tool import ToolUse
from gprov.domain.mfg.files import PlacementKind, destination
from gprov.domain.mfg.manuf import ManufData, parse_manuf
from gprov.domain.mfg.spec import CpuSpec, DeviceSpec, DiskSpec, FirmwareVersions
from gprov.domain.mfg.steps import ExitStatus, StepPoint
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import Platform

Document = dict[str, Any]
BRANDING = Branding()
QEMU = default_table()[0]
IMAGE = "WIDGET.LNX.SHINY.2024-02-29.0107.upd"
SHA256 = "0123456789abcdef" * 4

DOCUMENT: Document = {
    "_comment": "what a factory would serve",
    "Files": [
        {"Src": f"http://10.0.2.2:8901/linux/{IMAGE}", "Sha256": SHA256},
        {"Src": "http://10.0.2.2:8901/norm_boot", "Sha256": SHA256.upper(), "Sha1": "a" * 40},
        {"Src": "https://factory.example/extra?v=2", "Sha256": SHA256, "Dest": "tools/extra.bin"},
    ],
    "LogEndpoint": "http://10.0.2.2:65432/",
    "CredentialEndpoint": "http://10.0.2.2:65433/",
    "StashFiles": [{"Src": "http://10.0.2.2:8901/stash.txz", "Sha256": SHA256}],
    "ValidationData": [
        {
            "DevCodeName": "QEMU-mfg-test",
            "RamMegs": 1234,
            "CPUInfo": {"Model": "QEMU Virtual CPU", "Cores": 4, "Sockets": 1},
            "Recovery": {"Size": 10737418240, "SizeTolerancePct": 1, "Vendor": "QEMU", "Model": "HARDDISK"},
            "MainDiskConfigs": [
                [{"Size": 21474836480, "Model": "roothdd"}],
                [{"Size": 21000000000, "Model": "root21"}],
            ],
            "NumOUINics": 1,
            "OUINicsSequential": True,
            "TotalNics": 2,
            "FirmwareVer": {"BIOS": "1.2"},
            "Devices": {
                "PCI": [{"HumanDescription": "NIC", "Vendor": "0x8086", "Device": "0x100e", "Quantity": 1}],
                "USB": [{"Class": "0x09", "Quantity": 0}],
            },
            "SerNumRegex": "^GP[0-9]+$",
            "DmiMatches": {"_why": "x", "bios-vendor": "SeaBIOS"},
        }
    ],
    "CustomPlatCfgSteps": [
        {
            "DevCodeName": "QEMU-mfg-test",
            "ConfigSteps": [
                {
                    "Name": "Example",
                    "When": "runAFTERimaging",
                    "Verbose": True,
                    "Files": [{"Src": "http://10.0.2.2:8901/sample.sh", "Sha256": SHA256}],
                    "Commands": [
                        {"Command": "{{.DLDir}}/sample.sh '{{ .RecoveryDir }}/x y'", "ExitStatus": "esDontCare"},
                        {"Command": "true", "AddPath": "{{.DLDir}}/bin", "AddLibPath": "/opt/lib"},
                    ],
                },
                {"Name": "Last", "When": "AfterPWSet", "Commands": [{"Command": "setpw {{.BiosPass}}"}]},
            ],
        }
    ],
}


def parse(document: Document, platforms: Sequence[Platform] | None = None) -> ManufData:
    return parse_manuf("manufData.json", json.dumps(document).encode(), BRANDING, platforms)


def test_what_stands_twice_is_a_problem_with_its_path() -> None:
    two = changed(lambda document: document.update(files=document["Files"][:1]))
    assert problems(two) == ["$.Files: stands here as 'Files' and 'files'"]
    again = changed(lambda document: document["Files"].append(dict(document["Files"][2])))
    assert problems(again) == ["$.Files[3].Dest: tools/extra.bin is the destination of $.Files[2] too"]
    text = json.dumps(DOCUMENT).replace('"Dest": "tools/extra.bin"', '"Dest": "a", "Dest": "b"')
    with pytest.raises(BadInput) as caught:
        parse_manuf("manufData.json", text.encode(), BRANDING)
    assert caught.value.details() == ("$.Files[2].Dest: stands twice in one object",)


def problems(document: Document, platforms: Sequence[Platform] | None = None) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse(document, platforms)
    return list(caught.value.details())


def changed(change: Callable[[Document], object]) -> Document:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return document


def test_everything_is_read() -> None:
    manuf = parse(DOCUMENT, [QEMU])
    assert manuf.warnings == ()
    assert manuf.appliance_json_url == ""
    assert manuf.log_endpoint == "http://10.0.2.2:65432/"
    assert manuf.credential_endpoint == "http://10.0.2.2:65433/"
    assert [file.sha256 for file in manuf.files] == [SHA256] * 3
    assert [file.sha1 for file in manuf.files] == ["", "a" * 40, ""]
    assert [destination(file, BRANDING, True).path for file in manuf.files] == [
        f"Image/{IMAGE}",
        "ESP/norm_boot",
        "tools/extra.bin",
    ]
    assert manuf.image(BRANDING).url.endswith(IMAGE)
    assert [file.name for file in manuf.stash_files] == ["stash.txz"]


def test_endpoints_as_files_of_the_earlier_system_have_them() -> None:
    manuf = parse(changed(lambda d: d.update(LogEndpoint="10.0.2.2:65432", CredentialEndpoint="pblog")))
    assert (manuf.log_endpoint, manuf.credential_endpoint) == ("http://10.0.2.2:65432/", "")
    assert [str(one) for one in manuf.readings] == [
        "$.LogEndpoint: 10.0.2.2:65432 is read as http://10.0.2.2:65432/",
        "$.CredentialEndpoint: pblog is read as the server of LogEndpoint",
    ]
    assert parse(DOCUMENT).readings == ()
    assert parse(changed(lambda d: d.update(CredentialEndpoint="[fe80::1]:80/x"))).credential_endpoint == (
        "http://[fe80::1]:80/x"
    )


def test_an_endpoint_without_meaning_is_refused_with_what_to_write() -> None:
    assert problems(changed(lambda d: d.update(CredentialEndpoint="CredEndpt", LogEndpoint="h"))) == [
        "$.LogEndpoint: must begin with http:// or https://; write http://HOST:PORT/ or HOST:PORT",
        "$.CredentialEndpoint: must begin with http:// or https://; write http://HOST:PORT/ or HOST:PORT",
        '$.CredentialEndpoint: for the server of LogEndpoint write "pblog", or leave the key out',
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [("/tools/x", "tools/x"), ("//tools/x", "tools/x"), ("/mnt/recov/tools/x", "tools/x"), ("/ESP/x", "ESP/x")],
)
def test_destinations_with_a_leading_slash_are_on_recovery(text: str, path: str) -> None:
    manuf = parse(changed(lambda d: d["Files"][2].update(Dest=text)))
    assert destination(manuf.files[2], BRANDING, True).path == path
    assert [str(one) for one in manuf.readings] == [f"$.Files[2].Dest: {text} is read as {path} on RECOVERY"]


def test_an_image_and_a_kernel_with_a_leading_slash_are_what_they_are() -> None:
    def slashes(document: Document) -> None:
        document["Files"][0]["Dest"] = f"/Image/{IMAGE}"
        document["Files"][1]["Dest"] = "/norm_boot"

    manuf = parse(changed(slashes))
    kinds = [destination(file, BRANDING, True).kind for file in manuf.files[:2]]
    assert kinds == [PlacementKind.IMAGE, PlacementKind.KERNEL]


def test_specification_is_read() -> None:
    spec = parse(DOCUMENT).spec_for("QEMU-mfg-test")
    assert spec is not None
    assert spec.cpu == CpuSpec("QEMU Virtual CPU", 4, 1)
    assert spec.recovery == DiskSpec(size=10737418240, tolerance_percent=1, vendor="QEMU", model="HARDDISK", quantity=1)
    assert spec.main_disks == (
        (DiskSpec(size=21474836480, model="roothdd"),),
        (DiskSpec(size=21000000000, model="root21"),),
    )
    assert (spec.ram_megs, spec.oui_nics, spec.oui_sequential, spec.total_nics) == (1234, 1, True, 2)
    assert spec.firmware_version == FirmwareVersions(bios="1.2")
    assert spec.pci == (DeviceSpec(quantity=1, vendor=0x8086, device=0x100E, device_class=None, description="NIC"),)
    assert spec.usb == (DeviceSpec(quantity=0, vendor=None, device=None, device_class=0x09, description=""),)
    assert spec.serial_regex == "^GP[0-9]+$"
    assert spec.dmi_matches == {"bios-vendor": "SeaBIOS"}
    assert parse(DOCUMENT).spec_for("other") is None


@pytest.mark.parametrize("part", ["IPMI", "FRU", "ME"])
def test_versions_that_no_unit_of_the_platform_can_have_are_refused(part: str) -> None:
    document = changed(lambda d: d["ValidationData"][0]["FirmwareVer"].update({part: "3"}))
    with_controller = replace(QEMU, ipmi=True)
    for platforms in (None, [with_controller], [QEMU, replace(with_controller, product="other")]):
        manuf = parse(document, platforms)
        assert getattr(manuf.validation[0].firmware_version, part.lower()) == "3"
        assert manuf.warnings == ()
    text = "no unit has this version: IPMI of QEMU-mfg-test is not true in the platform table"
    assert problems(document, [QEMU]) == [f"$.ValidationData[0].FirmwareVer.{part}: {text}"]


def test_what_is_not_given_is_not_compared() -> None:
    document = changed(lambda d: [d["ValidationData"][0].pop(key) for key in ("CPUInfo", "RamMegs", "TotalNics")])
    spec = parse(document).validation[0]
    assert (spec.cpu, spec.ram_megs, spec.total_nics) == (None, None, None)


def test_steps_are_read() -> None:
    steps = parse(DOCUMENT).steps_for("QEMU-mfg-test")
    (step,) = steps.at(StepPoint.AFTER_IMAGING)
    assert (step.name, step.verbose, [file.name for file in step.files]) == ("Example", True, ["sample.sh"])
    assert [command.exit_status for command in step.commands] == [ExitStatus.DONT_CARE, ExitStatus.MUST_SUCCEED]
    assert [one.name for one in steps.at(StepPoint.AFTER_PASSWORDS)] == ["Last"]
    assert steps.at(StepPoint.BEFORE_QA) == ()
    assert parse(DOCUMENT).steps_for("other").steps == ()


@pytest.mark.parametrize("word", ["BeforeQA", "runbeforeqa", "RUNBEFOREQA", "beforeQa"])
def test_words_of_when_in_any_case_with_and_without_prefix(word: str) -> None:
    document = changed(lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"].append({"Name": "x", "When": word}))
    assert len(parse(document).steps[0].at(StepPoint.BEFORE_QA)) == 1


STEP = "$.CustomPlatCfgSteps[0].ConfigSteps[0]"
SPEC = "$.ValidationData[0]"

PROBLEMS: list[tuple[str, Callable[[Document], object], str]] = [
    ("no files", lambda d: d.pop("Files"), "$.Files: is missing"),
    ("empty file list", lambda d: d.update(Files=[]), "$.Files: hold no image"),
    ("no image", lambda d: d["Files"].pop(0), "$.Files: hold no image"),
    ("image elsewhere", lambda d: d["Files"][0].update(Dest="old/" + IMAGE), "$.Files: hold no image"),
    ("no kernel", lambda d: d["Files"].pop(1), "$.Files: hold no boot kernel"),
    ("no Src", lambda d: d["Files"][2].pop("Src"), "$.Files[2].Src: is missing"),
    ("wrong type", lambda d: d["Files"][2].update(Src=7), "$.Files[2].Src: must be text"),
    ("ftp", lambda d: d["Files"][0].update(Src="ftp://h/x"), "$.Files[0].Src: must begin with http"),
    ("no log", lambda d: d.pop("LogEndpoint"), "$.LogEndpoint: is missing"),
    ("no scheme", lambda d: d.update(LogEndpoint="10.0.2.2"), "$.LogEndpoint: must begin with http"),
    ("blank in URL", lambda d: d.update(CredentialEndpoint="http://a b/"), "$.CredentialEndpoint: is not a URL"),
    ("no host", lambda d: d.update(ApplianceJsonUrl="http:///x"), "$.ApplianceJsonUrl: has no valid host"),
    ("short digest", lambda d: d["Files"][0].update(Sha256="ab"), "$.Files[0].Sha256: must be 64 hexadecimal digits"),
    ("other digits", lambda d: d["Files"][1].update(Sha1="g" * 40), "$.Files[1].Sha1: must be 40 hexadecimal digits"),
    ("no digest", lambda d: d["Files"][0].pop("Sha256"), "$.Files[0]: has neither Sha256 nor Sha1"),
    ("climbs out", lambda d: d["Files"][2].update(Dest="../x"), "$.Files[2].Dest: has a component '..'"),
    (
        "lower case",
        lambda d: d["Files"][0].update(Dest=f"image/{IMAGE}"),
        "$.Files[0].Dest: image: this folder must be",
    ),
    (
        "same place",
        lambda d: d["Files"][2].update(Dest="norm_boot"),
        "$.Files[2].Dest: ESP/norm_boot is the destination",
    ),
    (
        "case on VFAT",
        lambda d: d["Files"][2].update(Dest="ESP/NORM_BOOT"),
        "$.Files[2].Dest: ESP/NORM_BOOT is the dest",
    ),
    ("file as folder", lambda d: d["Files"][2].update(Dest="norm_boot/x"), "$.Files[2].Dest: norm_boot/x and the dest"),
    ("URL of a folder", lambda d: d["Files"][1].update(Src="http://h/"), "$.Files[1].Src: the URL has no file name"),
    (
        "impossible date",
        lambda d: d["Files"][0].update(Src="http://h/WIDGET.LNX.SHINY.2023-02-29.1.upd"),
        "$.Files[0].Src: is not an image name: date: 2023-02-29 is not in the calendar",
    ),
    (
        "stash without name",
        lambda d: d["StashFiles"][0].update(Src="http://h/"),
        "$.StashFiles[0].Src: has no file name",
    ),
    ("no validation", lambda d: d.pop("ValidationData"), "$.ValidationData: is missing"),
    ("empty validation", lambda d: d.update(ValidationData=[]), "$.ValidationData: must list at least one"),
    (
        "platform twice",
        lambda d: d["ValidationData"].append(d["ValidationData"][0]),
        "$.ValidationData[1].DevCodeName:",
    ),
    ("no code name", lambda d: d["ValidationData"][0].pop("DevCodeName"), f"{SPEC}.DevCodeName: is missing"),
    ("no recovery", lambda d: d["ValidationData"][0].pop("Recovery"), f"{SPEC}.Recovery: is missing"),
    ("small recovery", lambda d: d["ValidationData"][0]["Recovery"].update(Size=1073741823), f"{SPEC}.Recovery.Size:"),
    ("no disks", lambda d: d["ValidationData"][0].update(MainDiskConfigs=[]), f"{SPEC}.MainDiskConfigs: must list"),
    (
        "empty alternative",
        lambda d: d["ValidationData"][0]["MainDiskConfigs"][1].pop(),
        f"{SPEC}.MainDiskConfigs[1]: l",
    ),
    (
        "alternatives differ",
        lambda d: d["ValidationData"][0]["MainDiskConfigs"][1].append({"Size": 5}),
        f"{SPEC}.MainDiskConfigs[1]: lists 2 disks, the first alternative 1",
    ),
    (
        "zero disks",
        lambda d: d["ValidationData"][0]["Recovery"].update(Quantity=0),
        f"{SPEC}.Recovery.Quantity: must be",
    ),
    (
        "not hexadecimal",
        lambda d: d["ValidationData"][0]["Devices"]["PCI"][0].update(Vendor="8086h"),
        f"{SPEC}.Devices.PCI[0].Vendor: must be text like",
    ),
    (
        "too large a number",
        lambda d: d["ValidationData"][0]["Devices"]["PCI"][0].update(Vendor="0x10000"),
        f"{SPEC}.Devices.PCI[0].Vendor: must be text like",
    ),
    (
        "any device at all",
        lambda d: d["ValidationData"][0]["Devices"]["USB"][0].pop("Class"),
        f"{SPEC}.Devices.USB[0]: has none of Vendor, Device and Class",
    ),
    (
        "version of the SDR",
        lambda d: d["ValidationData"][0]["FirmwareVer"].update(SDR="51"),
        f"{SPEC}.FirmwareVer.SDR: no unit has this version: IPMI does not tell it; compare it in a step",
    ),
    (
        "exact without lists",
        lambda d: d["ValidationData"][0].update(Devices={"Exact": True}),
        f"{SPEC}.Devices.Exact: concerns the lists PCI and USB, of which there is none",
    ),
    (
        "no keyword",
        lambda d: d["ValidationData"][0].update(DmiMatches={"colour": "x"}),
        f"{SPEC}.DmiMatches.colour: is neither a keyword of dmidecode nor a structure type with a label: no unit has",
    ),
    (
        "no structure type",
        lambda d: d["ValidationData"][0].update(DmiMatches={"x Locator": "x"}),
        f"{SPEC}.DmiMatches.x Locator: is neither a keyword of dmidecode nor a structure type with a label",
    ),
    (
        "no field of the type",
        lambda d: d["ValidationData"][0].update(DmiMatches={"17[1] Colour": "x"}),
        f"{SPEC}.DmiMatches.17[1] Colour: 'Colour' is not a known field of SMBIOS type 17: no unit has a value for it",
    ),
    ("broken regex", lambda d: d["ValidationData"][0].update(SerNumRegex="("), f"{SPEC}.SerNumRegex: is not a usable"),
    (
        "unknown When",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0].update(When="AfterLunch"),
        f"{STEP}.When: unknown value 'AfterLunch'",
    ),
    (
        "unknown ExitStatus",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Commands"][1].update(ExitStatus="0"),
        f"{STEP}.Commands[1].ExitStatus: unknown value '0'",
    ),
    (
        "unknown template",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Commands"][1].update(Command="x {{.Root}}"),
        f"{STEP}.Commands[1].Command: unknown template '{{{{.Root}}}}'",
    ),
    (
        "open quote",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Commands"][1].update(Command="echo 'x"),
        f"{STEP}.Commands[1].Command: a ' quote is not closed",
    ),
    (
        "only a comment",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Commands"][1].update(Command="# later"),
        f"{STEP}.Commands[1].Command: is empty",
    ),
    (
        "template in a path",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Commands"][1].update(AddLibPath="{{.X}}"),
        f"{STEP}.Commands[1].AddLibPath: unknown template",
    ),
    (
        "password too early",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Commands"][1].update(Command="x {{.OSPass}}"),
        f"{STEP}.Commands[1].Command: {{{{.OSPass}}}} is not available at AfterImaging",
    ),
    (
        "recovery too early",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0].update(When="AfterQA"),
        f"{STEP}.Commands[0].Command: {{{{.RecoveryDir}}}} is not available at AfterQA",
    ),
    (
        "step files of one name",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Files"].append(
            {"Src": "http://other/sample.sh", "Sha256": SHA256}
        ),
        f"{STEP}.Files[1].Src: has the same file name sample.sh as {STEP}.Files[0]",
    ),
]


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in PROBLEMS], ids=[case[0] for case in PROBLEMS])
def test_problem_with_its_path(change: Callable[[Document], object], expected: str) -> None:
    found = problems(changed(change))
    assert any(line.startswith(expected) for line in found), found


def test_all_problems_at_once() -> None:
    def change(document: Document) -> None:
        document["Files"][0]["Sha256"] = "x"
        document["LogEndpoint"] = "nowhere"
        document["ValidationData"][0]["Recovery"]["Size"] = "big"
        document["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["When"] = "never"

    assert [line.split(":")[0] for line in problems(changed(change))] == [
        "$.Files[0].Sha256",
        "$.ValidationData[0].Recovery.Size",
        f"{STEP}.When",
        "$.LogEndpoint",
    ]


def test_unknown_platforms_are_problems_only_if_the_table_is_known() -> None:
    assert problems(DOCUMENT, [replace(QEMU, code_name="other")]) == [
        "$.ValidationData[0].DevCodeName: QEMU-mfg-test is not in the platform table",
        "$.CustomPlatCfgSteps[0].DevCodeName: QEMU-mfg-test is not in the platform table",
    ]
    assert parse(DOCUMENT).validation[0].code_name == "QEMU-mfg-test"


WARNINGS: list[tuple[str, Callable[[Document], object], str]] = [
    (
        "sha1",
        lambda d: d["Files"][0].update(Sha1="a" * 40, Sha256=""),
        "$.Files[0].Sha1: SHA-1 is not collision resistant",
    ),
    (
        "no When",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"].append({}),
        "$.CustomPlatCfgSteps[0].ConfigSteps[2]",
    ),
    (
        "orphan",
        lambda d: d["CustomPlatCfgSteps"][0].update(DevCodeName="x"),
        "$.CustomPlatCfgSteps[0].DevCodeName: x has",
    ),
    (
        "quantities differ",
        lambda d: d["ValidationData"][0]["MainDiskConfigs"][1][0].update(Quantity=2),
        f"{SPEC}.MainDiskConfigs[1]: means 2 disks in all, the first alternative 1",
    ),
    (
        "no quantity",
        lambda d: d["ValidationData"][0]["Devices"]["PCI"][0].pop("Quantity"),
        f"{SPEC}.Devices.PCI[0].Quantity: is missing",
    ),
    (
        "pipe",
        lambda d: d["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Commands"][1].update(Command="a | b > c"),
        f"{STEP}.Commands[1].Command: no shell runs it: > | are passed on",
    ),
]


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in WARNINGS], ids=[case[0] for case in WARNINGS])
def test_warning_with_its_path(change: Callable[[Document], object], expected: str) -> None:
    (warning,) = parse(changed(change)).warnings
    assert str(warning).startswith(expected)


@pytest.mark.parametrize(
    ("disks", "quantity", "size", "percent", "enough"),
    [
        (1, 1, QEMU.disk_size, 0, True),
        (2, 1, QEMU.disk_size, 0, False),
        (2, 2, QEMU.disk_size, 0, True),
        (2, 2, QEMU.disk_size * 105 // 100, 0, True),
        (2, 2, QEMU.disk_size * 95 // 100, 0, True),
        (2, 2, QEMU.disk_size * 105 // 100 + 1, 0, False),
        (2, 2, QEMU.disk_size * 95 // 100 - 1, 0, False),
        (2, 2, QEMU.disk_size * 2, 50, True),
        (2, 2, QEMU.disk_size // 2, 50, False),
    ],
)
def test_disks_that_are_no_set_of_the_platform(
    disks: int, quantity: int, size: int, percent: int, enough: bool
) -> None:
    """Of a platform with disks of ``QEMU.disk_size`` bytes ± 5 %."""
    document = changed(
        lambda d: d["ValidationData"][0].update(
            MainDiskConfigs=[[{"Size": size, "SizeTolerancePct": percent, "Quantity": quantity}]]
        )
    )
    platform = replace(QEMU, data_disks=disks)
    found = [warning for warning in parse(document, [platform]).warnings if "NumDataDisks" in warning.message]
    assert (found == []) is enough
    assert parse(document, [platform, replace(platform, data_disks=1, disk_size=size)]).warnings == ()
    assert parse(document).warnings == ()


def test_keys_in_another_case_are_found() -> None:
    document = changed(lambda d: d.update(logendpoint=d.pop("LogEndpoint")))
    assert parse(document).log_endpoint == "http://10.0.2.2:65432/"


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe", b"nul", b'"x"', b"[" * 100_000])
def test_no_json_object(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_manuf("x", data, BRANDING)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_value_or_a_gprov_error(data: bytes) -> None:
    with suppress(GprovError):
        parse_manuf("x", data, BRANDING)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["{{", "{{.DLDir}}", "'", "..", "/", "\ud800", "\0", "(", "[[:a:]]", "0x", "http://[", "http://h:x/"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*path, key))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(sorted(places(DOCUMENT), key=str)), JSON_VALUES), min_size=1, max_size=3))
def test_mutated_documents_give_a_value_or_a_gprov_error(changes: list[tuple[tuple[str | int, ...], Any]]) -> None:
    document: Any = copy.deepcopy(DOCUMENT)
    for path, value in changes:
        holder = document
        try:
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took the place away
    try:
        manuf = parse(document)
    except GprovError:
        return
    for uefi in (True, False):
        placed = [destination(file, BRANDING, uefi) for file in manuf.files]
        assert {PlacementKind.IMAGE, PlacementKind.KERNEL} <= {place.kind for place in placed}
        assert len({place.path for place in placed}) == len(placed)


def test_settings_for_configuration_tools() -> None:
    file = {"Src": "http://10.0.2.2/files/bios.ini", "Sha256": "0" * 64}

    def with_settings(document: Document) -> None:
        document["CustomPlatCfgSteps"][0]["BiosSettings"] = file

    document = changed(with_settings)
    code_name = document["CustomPlatCfgSteps"][0]["DevCodeName"]
    assert parse(document).steps_for(code_name).settings[ToolUse.BIOS].name == "bios.ini"
    without = [replace(platform, code_name=code_name) for platform in default_table()[:1]]
    found = [problem for problem in problems(document, without) if "BiosSettings" in problem]
    assert found == [
        f"$.CustomPlatCfgSteps[0].BiosSettings: {code_name} has no BiosConfigTool in the platform table to apply them"
    ]
    tool = [replace(without[0], bios_config_tool="acme-setup")]
    assert parse(document, tool).warnings == parse(DOCUMENT, tool).warnings


def test_a_wrong_file_of_settings_is_a_problem_with_its_path() -> None:
    document = changed(lambda document: document["CustomPlatCfgSteps"][0].update(IpmiSettings={"Src": "no URL"}))
    assert any(problem.startswith("$.CustomPlatCfgSteps[0].IpmiSettings.Src: ") for problem in problems(document))
