"""Targets: documents of the factory and of units (JSON)."""

from __future__ import annotations

import json

from fuzz import seeds
from fuzz.harness import Check, Target, expect
from fuzz.texts import boot_text
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayrecord import parse_array_record
from gprov.domain.errors import BadInput
from gprov.domain.factory import messages, replies, requests
from gprov.domain.mfg.files import destination
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.mfg.steps import StepValues, environment, expand, redacted
from gprov.domain.platform.facts import platform_entry
from gprov.domain.platform.table import parse_platform_table
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.domain.unit.restore_options import parse_options, serialise_options

_BRANDING = Branding()
SENDER = {"serial": "SN 1", "session": "0" * 32}


def manuf_data(data: bytes) -> None:
    manuf = parse_manuf("manufData.json", data, _BRANDING)
    manuf.image(_BRANDING)
    for file in manuf.files:
        for uefi in (True, False):
            parts = destination(file, _BRANDING, uefi).path.split("/")
            expect(not {"", ".", ".."} & set(parts), "a destination that leaves RECOVERY")
    secrets = Credentials(Secret("a"), Secret("b"), Secret("c"))
    for platform in manuf.steps:
        for step in platform.steps:
            values = StepValues(
                "/run",
                "SN",
                "/mnt" if step.when.recovery_available else None,
                secrets if step.when.passwords_available else None,
            )
            for command in step.commands:
                redacted(expand(command, values), values)
                environment(command, values, "/bin")
    for spec in manuf.validation:
        spec.recovery.describe()


def platform_table(data: bytes) -> None:
    platforms = parse_platform_table("appliance.json", data)
    written = seeds.document({"Variants": [platform_entry(platform) for platform in platforms]})
    expect(parse_platform_table("written", written) == platforms, "a table that changes when it is written and read")


def restore_options(data: bytes) -> None:
    options = parse_options("fr.data", data)
    expect(
        parse_options("written", serialise_options(options)) == options,
        "options that change when they are written and read",
    )
    boot_text(options.boot_args.encode())


def array_record(data: bytes) -> None:
    parse_array_record("array.json", data)


def server_replies(data: bytes) -> None:
    replies.decode_refusal(data)
    expect("\n" not in replies.decode_error(data), "a reason of several lines")
    credentials = replies.decode_credentials(data)
    if credentials is not None:
        again = replies.decode_credentials(messages.encode(credentials))
        expect(again == credentials, "credentials that change when they are written and read")
        for secret in (credentials.os, credentials.bios, credentials.ipmi):
            secret.reveal().encode()
    replies.decode_time(data)


def server_requests(data: bytes) -> None:
    faults = 0
    for request in requests.REQUESTS:
        try:
            requests.decode(request, data)
        except BadInput as error:
            faults += 1
            messages.encode(replies.error_reply(error)).decode()
    expect(faults > 0 or b'"' in data, "the same bytes are a valid message of every type")


_DISK = {"Size": 21474836480, "SizeTolerancePct": 1, "Vendor": "v", "Model": "m", "Quantity": 1}
_FILE = {"Src": "http://h/tool.tar.xz", "Sha1": "0" * 40}
_STEP = {
    "Name": "step",
    "When": "RunAfterPWSet",
    "Verbose": True,
    "Files": [_FILE],
    "Commands": [
        {"Command": "x '{{.OSPass}}' \"{{ .Serial }}\" \\a", "ExitStatus": "ESMustFail", "AddPath": "{{.DLDir}}/bin"}
    ],
}
MANUF = {
    "Files": [
        {"Src": "http://h/WIDGET.LNX.SHINY.2024-02-29.0107.upd", "Sha256": "0" * 64},
        {"Src": "http://h/norm_boot", "Sha256": "0" * 64, "Dest": "ESP/norm_boot"},
    ],
    "LogEndpoint": "http://h/",
    "StashFiles": [_FILE],
    "ValidationData": [
        {
            "DevCodeName": "a",
            "Recovery": _DISK,
            "MainDiskConfigs": [[_DISK]],
            "CPUInfo": {"Model": "m", "Cores": 1, "Sockets": 1},
            "RamMegs": 1024,
            "Devices": {"PCI": [{"Vendor": "0x8086", "Quantity": 1}]},
            "SerNumRegex": "[0-9]+",
            "DmiMatches": {"bios-vendor": "x"},
        }
    ],
    "CustomPlatCfgSteps": [{"DevCodeName": "a", "ConfigSteps": [_STEP]}],
}
_VARIANT = {
    "Familyname": "f", "DmiMbMfg": "m", "DmiProdName": "p", "DmiProdModelRegex": "^x", "DmiPMOverrideTyp": 2,
    "DmiPMOverrideFld": "Version", "CPU": "one\ntwo", "SerNumField": "system-serial-number",
    "NICInfo": {"SharedDiagPorts": [1], "WANIndex": 0, "DefaultNamesNoDiag": ["WAN"], "MACPrefix": ["56:78:90"]},
    "IPMI": True, "NumDataDisks": 2, "Disksize": 20000000000, "SwRaidlevel": 1,
    "RecoveryMedia": {"LocateRDMethod": "byLabel", "ValidateRDMethod": "usb", "FsType": "ext4,ext3"},
    "Lcd": "635", "DevCodeName": "c", "DiskSTol": 2,
}  # fmt: skip
_OPTIONS = {"Preserve": True, "XLog": "http://h/", "BootArgs": 'console=ttyS0,115200 a="b c"'}
_EVENTS = [
    {"number": 1, "time_ns": 2, "type": "LOG", "text": "t"},
    {"number": 2, "time_ns": 3, "type": "STEP", "description": "d", "phase": "failed", "elapsed_ns": 5, "error": "e"},
]
_MACS = {"nics": [{"name": "eth0", "mac": seeds.MAC}], "bmc": [seeds.MAC]}


def _keys(*values: object) -> tuple[bytes, ...]:
    """Return all keys and texts of documents as dictionary words."""
    found: set[bytes] = {b"\\ud800", b"1e400", b"null", b"[[", b"{}", b"99999999999999999999", b"-1", b"\\u0000"}
    for value in values:
        if isinstance(value, dict):
            found |= {json.dumps(key).encode() for key in value} | set(_keys(*value.values()))
        elif isinstance(value, list):
            found |= set(_keys(*value))
        elif isinstance(value, str) and value:
            found.add(json.dumps(value).encode())
    return tuple(sorted(found))


def _json(*values: object) -> tuple[list[bytes], tuple[bytes, ...]]:
    return [seeds.document(value) for value in values], _keys(*values)


def _target(name: str, parser: str, check: Check, *values: object) -> Target:
    made, words = _json(*values)
    return Target(name, parser, check, lambda: made, words)


TARGETS = (
    _target("manuf-data", "manufData.json", manuf_data, MANUF),
    _target("platform-table", "appliance.json", platform_table, {"Variants": [_VARIANT]}),
    _target("fr-data", "fr.data", restore_options, _OPTIONS),
    _target("array-record", "array.json", array_record, {"Members": [{"Slot": 0, "Disk": "d", "Port": "p"}]}),
    _target(
        "server-replies",
        "replies of the factory server",
        server_replies,
        {"time_ns": 1},
        {"os": "a", "bios": "b", "ipmi": "c"},
        {"error": "e", "problems": [{"place": "p", "message": "m"}], "refusal": "sealed"},
    ),
    _target(
        "server-requests",
        "messages of units",
        server_requests,
        {**SENDER, "events": _EVENTS},
        {**SENDER, "state": "MFG_STARTED"},
        {**SENDER, **_MACS},
        {**SENDER, "name": "n", "content": "c"},
    ),
)
