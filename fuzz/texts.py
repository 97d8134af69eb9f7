"""Targets: texts built from external input, for GRUB, iPXE, dnsmasq, systemd and the log."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from itertools import pairwise

from fuzz import seeds
from fuzz.harness import Target, expect
from gprov.domain.boot.args import BootArguments, join_arguments
from gprov.domain.boot.entries import EspLocation, planned_entries
from gprov.domain.boot.grub.grub4dos import grub4dos_fallback_menu, grub4dos_primary_menu
from gprov.domain.boot.grub.menus import normal_menu, recovery_menu
from gprov.domain.boot.kept_arguments import entry_arguments, parse_kept, serialise_kept
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.event_text import event_text
from gprov.domain.events import Event, LogLine, Severity
from gprov.domain.factory.dnsmasq import NetbootService, dnsmasq_configuration
from gprov.domain.factory.documents import file_name
from gprov.domain.factory.netboot import asking_script, base_problem, check_arguments, provision_script
from gprov.domain.formats.placeholders import folded, placeholder
from gprov.domain.mfg.command import parse_command
from gprov.domain.mfg.files import RemoteFile, destination
from gprov.domain.mfg.urls import base_name, redacted, url_problem
from gprov.domain.platform.patterns import pattern_problem
from gprov.domain.unit.netconfig import default_files
from gprov.domain.unit.nics import Nic

_BRANDING = Branding()
_ESP = EspLocation(1, 2048, 409600, "00112233-4455-6677-8899-aabbccddeeff")


def pieces(data: bytes, count: int) -> list[str]:
    """Split into ``count`` texts at bytes 0xFF, which UTF-8 does not contain."""
    found = [part.decode("utf-8", "replace") for part in data.split(b"\xff")[:count]]
    return found + [""] * (count - len(found))


def _menus(arguments: str) -> list[str]:
    """Raises BadInput."""
    return [
        normal_menu(_BRANDING, "uuid", arguments),
        recovery_menu(_BRANDING, arguments),
        grub4dos_primary_menu(_BRANDING, "uuid", arguments),
        grub4dos_fallback_menu(_BRANDING, arguments),
    ]


def boot_text(data: bytes) -> None:
    """Arguments in boot entries and boot menus add no lines and no syntax."""
    arguments = data.decode("utf-8", "surrogateescape")
    try:
        menus = _menus(arguments)
    except BadInput:
        menus = []
    serial = "serial --unit=" in "".join(menus)
    for menu, plain in zip(menus, _menus(""), strict=False):
        _same_shape(menu, plain, 3 if serial and "menuentry" in menu else 0)
    for entry in planned_entries(_BRANDING, _ESP, join_arguments(arguments)):
        expect("\n" not in entry.arguments and "\0" not in entry.arguments, "arguments of several lines")


def kept_arguments(data: bytes) -> None:
    """``boot.args``: merged arguments are the same after writing and reading."""
    kept, given = (parse_kept("boot.args", part.encode("utf-8")) for part in pieces(data, 2))
    wanted = entry_arguments(kept, given, BootArguments())
    expect(
        parse_kept("written", serialise_kept(wanted)) == wanted, "arguments that change when they are written and read"
    )
    expect(entry_arguments(wanted, "", BootArguments()) == wanted, "arguments that every restore changes")
    boot_text(wanted.encode())


def _same_shape(menu: str, plain: str, more: int) -> None:
    """Check that a menu has only the lines of ``plain`` plus ``more``, and that quotes are closed on their line."""
    lines = menu.split("\n")
    expect(len(lines) == len(plain.split("\n")) + more, "a menu with lines that gprov did not write")
    for line in lines:
        expect(line.isprintable(), "a menu with control characters")
        if line.strip().startswith("linux "):
            expect(line.count("'") % 2 == 0, "a quote that is not closed")
            outside = "".join(line.split("'")[::2])
            expect(not set(outside) & set(';|&<>{}"\\#'), "an argument that GRUB would read as syntax")


def document_names(data: bytes) -> None:
    serial, name = pieces(data, 2)
    made = file_name(serial, name)
    expect("/" not in made and not made.startswith(".") and len(made) <= 200, "a file name that leaves its folder")


def urls(data: bytes) -> None:
    url, location = pieces(data, 2)
    redacted(url)
    base_name(url)
    if url_problem(url) is None:
        expect(url.isascii() and url.isprintable() and " " not in url, "a URL with blanks")
    file = RemoteFile(url=url, dest=location or None)
    destination(file, _BRANDING, True)


def commands(data: bytes) -> None:
    parse_command(data.decode("utf-8", "surrogateescape"))


def patterns(data: bytes) -> None:
    pattern_problem(data.decode("utf-8", "replace"))


def serial_numbers(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    expect(placeholder(text) == placeholder(folded(text)), "the spelling counts")


def netboot_scripts(data: bytes) -> None:
    """iPXE scripts contain no line, command or setting that gprov did not write."""
    base, arguments = pieces(data, 2)
    if base_problem(base) is not None:
        return
    checked = check_arguments("arguments", arguments)
    plain = provision_script("http://a", "", _BRANDING)
    script = provision_script(base, checked, _BRANDING)
    expect(len(script.split("\n")) == len(plain.split("\n")), "a script with lines that gprov did not write")
    expect(script.count("${") == plain.count("${"), "a setting that gprov did not write")
    for line, usual in zip(script.split("\n"), plain.split("\n"), strict=True):
        for word in ("||", "&&", ";"):
            expect(line.split().count(word) == usual.split().count(word), "a command that gprov did not write")
        expect(line.isprintable() and line.split()[:1] == usual.split()[:1], "another command")
    expect(len(asking_script(base).split("\n")) == len(asking_script("http://a").split("\n")), "more lines")


def dnsmasq(data: bytes) -> None:
    interface, server, folder = pieces(data, 3)
    network = IPv4Network("10.0.0.0/24")
    plain = dnsmasq_configuration(NetbootService("eth0", "http://10.0.0.1", network))
    made = dnsmasq_configuration(NetbootService(interface, server, network, folder))
    for line, usual in zip(made.split("\n"), plain.split("\n"), strict=True):
        expect(
            line.partition("=")[0] == usual.partition("=")[0] and line.isprintable(), "a line that gprov did not write"
        )
        expect(
            line.count(",") == usual.count(",") and line.count("#") == usual.count("#"),
            "a field that gprov did not write",
        )


def networkd(data: bytes) -> None:
    """Files of systemd-networkd with names of ports from the platform table."""
    names = pieces(data, 2)
    nics = [Nic(name="eth0", mac=seeds.MAC), Nic(name="eth1", mac="56:78:90:00:00:02")]
    usual = default_files(nics, names=["a", "b"])
    for name, content in default_files(nics, names=names).items():
        lines, plain = content.decode().split("\n"), usual[name].decode().split("\n")
        expect(len(lines) == len(plain), "a file with lines that gprov did not write")
        expect([line for line in lines if line[:1] == "["] == [line for line in plain if line[:1] == "["], "a section")


def log_lines(data: bytes) -> None:
    text = event_text(Event(1, 0, LogLine(data.decode("utf-8", "surrogateescape"), Severity.LOG)))
    for first, second in pairwise(["", *text.split("\n")]):
        expect(not first or second.startswith("    "), "a log line that gprov did not begin")
        expect(re.fullmatch(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f]*", second) is not None, "a control character in the log")


def _texts(*rows: tuple[str, ...]) -> list[bytes]:
    return [b"\xff".join(text.encode() for text in row) for row in rows]


TARGETS = (
    Target(
        "boot-text",
        "boot arguments in GRUB menus and boot entries",
        boot_text,
        lambda: [b'quiet console=ttyS0,115200 a="b c"', b"real_root=x PROVISION_KEY_WINDOW=0"],
        (b"'", b'"', b"console=ttyS0", b"${", b"\n", b";", b"}"),
    ),
    Target(
        "kept-arguments",
        "boot.args",
        kept_arguments,
        lambda: _texts(("pci=nomsi PROVISION_KEY_WINDOW=0", 'console=ttyS0 a="b c"'), ("m=1 m=2\n", "m=3")),
        (b'"', b"=", b"console=", b" ", b"\n", b"frmode=shell"),
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
        "serial-numbers",
        "placeholders for serial numbers",
        serial_numbers,
        lambda: [b"To be filled by O.E.M.", b"0123456789", b"S/N: 0000", b"QEMU01234"],
        (b"Serial", b"Default", b"000", b"oem", b"not"),
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
    Target(
        "log-lines", "texts in the log", log_lines, lambda: [b"a\nb\r\x1b[0m", "\u2028x".encode()], (b"\n", b"\x85")
    ),
)
