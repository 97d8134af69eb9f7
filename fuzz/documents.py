"""Targets: documents of the factory (JSON), and texts that are made of what they say."""

from __future__ import annotations

import json
from ipaddress import IPv4Network

from fuzz import seeds
from fuzz.harness import Check, Target, expect
from gprov.domain.boot.args import join_arguments
from gprov.domain.boot.entries import EspLocation, wanted_entries
from gprov.domain.boot.grub.menus import normal_menu, recovery_menu
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayrecord import parse_array_record
from gprov.domain.errors import BadInput
from gprov.domain.factory import replies, requests
from gprov.domain.factory.dnsmasq import NetbootService, dnsmasq_configuration
from gprov.domain.factory.documents import file_name
from gprov.domain.factory.netboot import asking_script, base_problem, check_arguments, provision_script
from gprov.domain.mfg.command import parse_command
from gprov.domain.mfg.files import RemoteFile, destination
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.mfg.steps import StepValues, environment, expand, redacted
from gprov.domain.mfg.urls import base_name, url_problem
from gprov.domain.mfg.urls import redacted as redacted_url
from gprov.domain.platform.facts import platform_entry
from gprov.domain.platform.patterns import pattern_problem
from gprov.domain.platform.table import parse_platform_table
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.domain.unit.frdata import parse_options, serialise_options
from gprov.domain.unit.netconfig import default_files
from gprov.domain.unit.nics import Nic

_BRANDING = Branding()
_ESP = EspLocation(1, 2048, 409600, "00112233-4455-6677-8899-aabbccddeeff")
SENDER = {"serial": "SN 1", "session": "0" * 32}


def pieces(data: bytes, count: int) -> list[str]:
    """Texts between bytes that no text has."""
    found = [part.decode("utf-8", "replace") for part in data.split(b"\xff")[:count]]
    return found + [""] * (count - len(found))


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
                "/mnt" if step.when.knows_recovery else None,
                secrets if step.when.knows_passwords else None,
            )
            for command in step.commands:
                redacted(expand(command, values), values)
                environment(command, values, "/bin")
    for spec in manuf.validation:
        spec.recovery.describe()


def platform_table(data: bytes) -> None:
    platforms = parse_platform_table("appliance.json", data)
    written = seeds.document({"Variants": [platform_entry(platform) for platform in platforms]})
    expect(parse_platform_table("written", written) == platforms, "a table that reads differently when written")


def restore_options(data: bytes) -> None:
    options = parse_options("fr.data", data)
    expect(
        parse_options("written", serialise_options(options)) == options, "options that read differently when written"
    )
    boot_text(options.boot_args.encode())


def boot_text(data: bytes) -> None:
    """Arguments for boot entries and boot menus: each word where it belongs, nothing added."""
    arguments = data.decode("utf-8", "surrogateescape")
    try:
        menus = [normal_menu(_BRANDING, "uuid", arguments), recovery_menu(_BRANDING, arguments)]
    except BadInput:
        menus = []
    serial = "serial --unit=" in "".join(menus)
    usual = [normal_menu(_BRANDING, "uuid", ""), recovery_menu(_BRANDING, "")]
    for menu, plain in zip(menus, usual, strict=False):
        _same_shape(menu, plain, 3 if serial else 0)
    for entry in wanted_entries(_BRANDING, _ESP, join_arguments(arguments)):
        expect("\n" not in entry.arguments and "\0" not in entry.arguments, "arguments of several lines")


def _same_shape(menu: str, plain: str, more: int) -> None:
    """No lines but those that the menu has anyway; and quotes of arguments are closed on their line."""
    lines = menu.split("\n")
    expect(len(lines) == len(plain.split("\n")) + more, "a menu with lines that nobody wrote")
    for line in lines:
        expect(line.isprintable(), "a menu with control characters")
        if line.strip().startswith("linux "):
            expect(line.count("'") % 2 == 0, "a quote that is not closed")
            outside = "".join(line.split("'")[::2])
            expect(not set(outside) & set(';|&<>{}"\\#'), "an argument that GRUB would read as syntax")


def array_record(data: bytes) -> None:
    parse_array_record("array.json", data)


def server_replies(data: bytes) -> None:
    replies.decode_refusal(data)
    expect("\n" not in replies.decode_error(data), "a reason of several lines")
    credentials = replies.decode_credentials(data)
    if credentials is not None:
        again = replies.decode_credentials(seeds.document(replies.encode_credentials(credentials)))
        expect(again == credentials, "credentials that read differently when written")
        for secret in (credentials.os, credentials.bios, credentials.ipmi):
            secret.reveal().encode()
    replies.decode_time(data)


def server_requests(data: bytes) -> None:
    faults = 0
    for decode in (
        requests.decode_events,
        requests.decode_state,
        requests.decode_code_name,
        requests.decode_macs,
        requests.decode_document,
        requests.decode_credential_request,
    ):
        try:
            decode(data)
        except BadInput as error:
            faults += 1
            json.dumps(replies.encode_error(error), ensure_ascii=False).encode()
    expect(faults > 0 or b'"' in data, "a message of every kind")


def document_names(data: bytes) -> None:
    serial, name = pieces(data, 2)
    made = file_name(serial, name)
    expect("/" not in made and not made.startswith(".") and len(made) <= 200, "a file name that leaves its folder")


def urls(data: bytes) -> None:
    url, location = pieces(data, 2)
    redacted_url(url)
    base_name(url)
    if url_problem(url) is None:
        expect(url.isascii() and url.isprintable() and " " not in url, "a URL with blanks")
    file = RemoteFile(url, dest=location or None)
    destination(file, _BRANDING, True)


def commands(data: bytes) -> None:
    parse_command(data.decode("utf-8", "surrogateescape"))


def patterns(data: bytes) -> None:
    pattern_problem(data.decode("utf-8", "replace"))


def netboot_scripts(data: bytes) -> None:
    """What iPXE reads: no line, command or setting that we did not write."""
    base, arguments = pieces(data, 2)
    if base_problem(base) is not None:
        return
    checked = check_arguments("arguments", arguments)
    plain = provision_script("http://a", "", _BRANDING)
    script = provision_script(base, checked, _BRANDING)
    expect(len(script.split("\n")) == len(plain.split("\n")), "a script with lines that nobody wrote")
    expect(script.count("${") == plain.count("${"), "a setting that nobody wrote")
    for line, usual in zip(script.split("\n"), plain.split("\n"), strict=True):
        for word in ("||", "&&", ";"):
            expect(line.split().count(word) == usual.split().count(word), "a command that nobody wrote")
        expect(line.isprintable() and line.split()[:1] == usual.split()[:1], "another command")
    expect(len(asking_script(base).split("\n")) == len(asking_script("http://a").split("\n")), "more lines")


def dnsmasq(data: bytes) -> None:
    interface, server, folder = pieces(data, 3)
    network = IPv4Network("10.0.0.0/24")
    plain = dnsmasq_configuration(NetbootService("eth0", "http://10.0.0.1", network))
    made = dnsmasq_configuration(NetbootService(interface, server, network, folder))
    for line, usual in zip(made.split("\n"), plain.split("\n"), strict=True):
        expect(line.partition("=")[0] == usual.partition("=")[0] and line.isprintable(), "a line that nobody wrote")
        expect(line.count(",") == usual.count(",") and line.count("#") == usual.count("#"), "a field that nobody wrote")


def networkd(data: bytes) -> None:
    """Names of ports come from the platform table."""
    names = pieces(data, 2)
    nics = [Nic("eth0", seeds.MAC), Nic("eth1", "56:78:90:00:00:02")]
    usual = default_files(nics, names=["a", "b"])
    for name, content in default_files(nics, names=names).items():
        lines, plain = content.decode().split("\n"), usual[name].decode().split("\n")
        expect(len(lines) == len(plain), "a file with lines that nobody wrote")
        expect([line for line in lines if line[:1] == "["] == [line for line in plain if line[:1] == "["], "a section")


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
    """All keys and short texts of documents, as a mutation may write them."""
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


def _texts(*rows: tuple[str, ...]) -> list[bytes]:
    return [b"\xff".join(text.encode() for text in row) for row in rows]


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
        "what units post",
        server_requests,
        {**SENDER, "events": _EVENTS},
        {**SENDER, "state": "MFG_STARTED"},
        {**SENDER, **_MACS},
        {**SENDER, "name": "n", "content": "c"},
    ),
    Target(
        "boot-text",
        "boot arguments in GRUB menus and boot entries",
        boot_text,
        lambda: [b'quiet console=ttyS0,115200 a="b c"', b"real_root=x PROVISION_KEY_WINDOW=0"],
        (b"'", b'"', b"console=ttyS0", b"${", b"\n", b";", b"}"),
    ),
    Target("document-names", "names of documents", document_names, lambda: _texts(("SN 1", "QA.json"), ("..", "/"))),
    Target(
        "urls",
        "URLs and destinations",
        urls,
        lambda: _texts(("http://u:p@h:80/a%20b?q#f", "Image/x"), ("https://[::1]/x", "")),
        (b"http://", b"@", b"[", b"%2e%2e", b"../", b"Image/", b"ESP/"),
    ),
    Target(
        "commands",
        "commands of steps",
        commands,
        lambda: [b"a 'b c' \"{{.Serial}}\" \\d #e", b"{{ .DLDir }}/x"],
        (b"{{.OSPass}}", b"{{", b"}}", b"'", b'"', b"\\"),
    ),
    Target(
        "patterns", "regular expressions", patterns, lambda: [b"^(a|b)+[^c]{2,3}(?P<n>x)$", b"(?i).*?"], (b"(?", b"{9")
    ),
    Target(
        "ipxe",
        "iPXE scripts",
        netboot_scripts,
        lambda: _texts(("http://10.0.0.1:8901", "console=ttyS0 a=b"), ("http://h/", '"x y"')),
        (b"${", b"||", b"&&", b";", b"\n", b"#", b"http://", b"[fe80::1%25"),
    ),
    Target(
        "dnsmasq",
        "dnsmasq configuration",
        dnsmasq,
        lambda: _texts(("eth0", "http://10.0.0.1:8901", "/usr/lib/ipxe")),
        (b"\n", b",", b"#", b"tag:", b"http://"),
    ),
    Target(
        "networkd", "systemd-networkd files", networkd, lambda: _texts(("WAN", "Port 2")), (b"\n", b"[Match]", b"{mac}")
    ),
)
