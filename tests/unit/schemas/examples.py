"""An example of each format with all of its keys, and one for each rule that no schema can express."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from gprov.domain.branding import Branding
from gprov.domain.factory.messages import write
from gprov.domain.factory.server_settings import ServerSettings, section_types
from gprov.domain.image.imgmeta import FIELDS
from tests.unit.keys.full_manuf import full_manuf
from tests.unit.keys.full_platform import TABLE
from tests.unit.schemas.trust_examples import CHAIN, MANIFEST, STATEMENT

Document = dict[str, Any]
_GIB = 1 << 30


@cache
def _manuf() -> Document:
    document: Document = json.loads(json.dumps(full_manuf()))
    del document["StashFiles"][0]["Sha1"]
    return document | {"ApplianceJsonUrl": "https://factory.invalid/appliance.json"}


def _hardware() -> Document:
    entry: Document = _manuf()["ValidationData"][0]
    return entry | {"FirmwareVer": {"BIOS": "1", "IPMI": "2", "FRU": "3", "ME": "4", "SDR": ""}}


def _settings() -> Document:
    default = ServerSettings()
    return {name: write(getattr(default, name)) for name in section_types()}


def _record() -> Document:
    row = {"Name": "make", "Version": "4.3"}
    return {
        "Format": 1,
        "Kind": "gprov build record",
        "Gprov": {"Version": "1", "Commit": "c", "Builder": "d"},
        "Options": {
            "Flavor": "normal",
            "BuildNumber": 42,
            "Level": 19,
            "Fragments": ["server"],
            "Modules": True,
            "Firmware": ["bnx2"],
            "TrustPolicy": "enforce",
            "SecurityVersion": 3,
        },
        "Environment": [{"Name": "KBUILD_BUILD_USER", "Value": "gprov"}],
        "Configuration": "c",
        "Source": "s",
        "Toolchain": [row],
        "Packages": [row],
        "PythonPackages": [row],
        "Initramfs": [{"Path": "/init", "Content": "-rwxr-xr-x d"}],
        "Archive": {"Date": "20261130T120000Z", "Lacks": ["own"]},
        "Result": {"Sha256": "k", "Size": 1, "Initramfs": "i", "Modules": "m"},
    }


_RULE = {"length": 20, "alphabet": "abcdefghkmnpqrstuvwxyz23456789", "require": ["lower", "digit"]}
_KINDS = {"os": _RULE, "bios": _RULE, "ipmi": _RULE}


_UPDATE: Document = {
    "server": "https://updates.invalid/",
    "tenant": "DEFAULT",
    "controller_id": "serial",
    "target_token_file": "/etc/token",
    "gateway_token_file": "",
    "ca_file": "/etc/ca.pem",
    "server_sha256": "",
    "allow_http": False,
    "window": ["Sat,Sun 02:00-04:00"],
    "confirm": "auto",
    "forced": "window",
    "reboot": "yes",
    "attributes": {"site": "7"},
}
_LISTS = ("modules", "packages", "exclude", "prefer_source", "data", "boot_modules", "applets", "usb_names", "loader")
_FREEZE: Document = {
    "common": {
        "start": "gprov.apps.init.main:main",
        **{name: ["name"] for name in _LISTS},
        **{name: {"name": "text"} for name in ("replace", "programs", "libraries", "libraries_32")},
        **{name: {"/path": "text"} for name in ("databases", "copies", "files", "scripts", "links")},
        "folders": {"/path": "0755"},
        "devices": {"/dev/null": "c 1 3 0666"},
    },
    "normal": {},
    "mfg": {"packages": ["name"]},
    "mfg-burn-in": {"programs": {"fio": "fio"}},
}


@cache
def examples() -> Mapping[str, Document]:
    """Valid documents, by name of the format."""
    return {
        "manufdata": _manuf(),
        "hardware": _hardware(),
        "appliance": json.loads(json.dumps(TABLE)),
        "branding": {name: getattr(Branding(), name) for name in Branding.__dataclass_fields__},
        "restore-options": {
            "Preserve": True,
            "IgnoreNetCfg": False,
            "ClearHistory": True,
            "XLog": "10.1.0.1:8901",
            "BootArgs": "quiet",
        },
        "imgmeta": {key: "2601151230" if key == "BinTime" else "text" for key in FIELDS},
        "manifest": MANIFEST,
        "trust-statement": STATEMENT,
        "trust-chain": CHAIN,
        "build-record": _record(),
        "tool-probe": {"contract": 1, "tool": "acme-setup 1.0", "can": ["storage", "settings", "password"]},
        "tool-storage": {"value": "ahci"},
        "tool-change": {"changed": True, "restart": False, "notes": ["done"]},
        "differences": {"DevCodeName": "X", "Differences": [{"Place": "RamMegs", "Required": "1", "Detected": "2"}]},
        "server-settings": _settings(),
        "password-rules": {**_KINDS, "platform": {"X7": {"ipmi": _RULE}}},
        "initramfs": _FREEZE,
        "update": _UPDATE,
    }


def changed(name: str, value: Any, *place: str | int) -> Document:
    """The example with another value."""
    document = deepcopy(examples()[name])
    holder: Any = document
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return document


def _file(**keys: Any) -> Document:
    return {"Src": "http://x.invalid/a", "Sha256": "0" * 64, **keys}


_SPEC = ("ValidationData", 0)
_STEP = ("CustomPlatCfgSteps", 0, "ConfigSteps", 0)
_DISK = {"Size": _GIB}


def _manuf_counterexamples() -> list[Document]:
    files = _manuf()["Files"]
    return [
        changed("manufdata", [_file()], "Files"),
        changed("manufdata", "../x", "Files", 0, "Dest"),
        changed("manufdata", [*files, _file(Src="http://x.invalid/a%00b")], "Files"),
        changed("manufdata", [_file(Src="http://x.invalid/")], "StashFiles"),
        changed("manufdata", [_file(Src="http:///a")], "StashFiles"),
        changed("manufdata", "http://:0/", "CredentialEndpoint"),
        changed("manufdata", [*_manuf()["ValidationData"]] * 2, "ValidationData"),
        changed("manufdata", "say {{.Nothing}}", *_STEP, "Commands", 0, "Command"),
        changed("manufdata", 1, "BurnIn", 0, "TimeLimit"),
        changed("manufdata", [[_DISK], [_DISK, _DISK]], *_SPEC, "MainDiskConfigs"),
        changed("manufdata", "(", *_SPEC, "SerNumRegex"),
        changed("manufdata", {"bios-vndor": "x"}, *_SPEC, "DmiMatches"),
    ]


def _platform_counterexamples() -> list[Document]:
    [entry] = examples()["appliance"]["Variants"]
    place = ("Variants", 0)
    return [
        changed("appliance", " x", *place, "DevCodeName"),
        changed("appliance", "(", *place, "DmiProdModelRegex"),
        changed("appliance", "Nothing", *place, "DmiPMOverrideFld"),
        changed("appliance", 5, *place, "SwRaidlevel"),
        changed("appliance", 2, *place, "NICInfo", "WANIndex"),
        changed("appliance", "ntfs", *place, "RecoveryMedia", "FsType"),
        changed("appliance", "a b", *place, "RecoveryMedia", "FsOptsAdditional"),
        {"Variants": [entry, {**entry, "DevCodeName": "other"}]},
    ]


@cache
def counterexamples() -> Mapping[str, list[Document]]:
    """Documents that a schema accepts and the reader refuses, by name of the format."""
    one = CHAIN["Statements"][0]
    return {
        "manufdata": _manuf_counterexamples(),
        "hardware": [
            changed("hardware", [[_DISK], [_DISK, _DISK]], "MainDiskConfigs"),
            changed("hardware", "(", "SerNumRegex"),
            changed("hardware", {"bios-vndor": "x"}, "DmiMatches"),
        ],
        "appliance": _platform_counterexamples(),
        "branding": [changed("branding", "x ", "image_prefix"), changed("branding", "ü" * 10, "recovery_label")],
        "restore-options": [changed("restore-options", "ftp://x/", "XLog")],
        "imgmeta": [changed("imgmeta", "2602301230", "BinTime")],
        "manifest": [changed("manifest", "x.upd", "Name"), changed("manifest", 2**31 - 1, "Floor")],
        "trust-statement": [
            changed("trust-statement", STATEMENT["Roots"], "Signers"),
            changed("trust-statement", ["A" * 56], "Signers"),
        ],
        "build-record": [
            changed("build-record", [{"Name": "make", "Version": version} for version in "12"], "Toolchain"),
            changed("build-record", [{"Path": "/init", "Content": "x"}] * 2, "Initramfs"),
        ],
        "trust-chain": [
            changed("trust-chain", [{**one, "Statement": b64encode(b"{}").decode()}], "Statements"),
            changed("trust-chain", [{**one, "Signatures": ["x"]}], "Statements"),
        ],
        "server-settings": [
            changed("server-settings", "a_b", "listen", "host"),
            changed("server-settings", "a\nb", "certificates", "issuer"),
            changed("server-settings", "files", "tls", "mode"),
        ],
        "update": [
            changed("update", "https:///x", "server"),
            changed("update", "/a\tb", "ca_file"),
            changed("update", "/etc/../root/token", "target_token_file"),
            changed("update", ["never"], "window"),
        ],
        "initramfs": [changed("initramfs", "main", "common", "start")],
        "password-rules": [
            changed("password-rules", "aab", "os", "alphabet"),
            changed("password-rules", ["upper"], "os", "require"),
            changed("password-rules", 8, "os", "length"),
        ],
    }
