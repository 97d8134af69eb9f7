"""Targets: what firmware, kernel, disks, DHCP and HTTP servers say."""

from __future__ import annotations

import http.client
import io
import os
import re
from itertools import pairwise
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from fuzz import seeds
from fuzz.harness import Target, expect
from gprov.adapters.fake.firmware import apply_changes
from gprov.adapters.linux.net.lease import parse_lease, resolver_configuration
from gprov.adapters.linux.net.partial import PartialFile
from gprov.adapters.linux.net.transport import Answer, Broken, _redirect_target
from gprov.domain.boot.args import carried_arguments, join_arguments, kernel_words, parse_boot_arguments
from gprov.domain.boot.bootvars import BOOT_CURRENT, BOOT_NEXT, BOOT_ORDER, NV_BS_RT, parse_numbers, serialise_numbers
from gprov.domain.boot.devicenodes import is_network_path
from gprov.domain.boot.devicepath import parse_device_path, serialise_device_path
from gprov.domain.boot.devicetext import describe_device_path
from gprov.domain.boot.entries import EspLocation, reconcile, started_by_fallback, wanted_entries
from gprov.domain.boot.firmware import Variable
from gprov.domain.boot.loadoption import (
    decode_arguments,
    describe_load_option,
    parse_load_option,
    read_description,
    serialise_load_option,
)
from gprov.domain.boot.origin import started_partition
from gprov.domain.branding import Branding
from gprov.domain.disk.accounts import gid_of, ids_of, set_password_hash
from gprov.domain.disk.mdsuper import parse_superblock
from gprov.domain.disk.mountinfo import parse_mountinfo
from gprov.domain.disk.rootspec import parse_root
from gprov.domain.disk.tableread import read_partition_ids
from gprov.domain.errors import GprovError
from gprov.domain.events import Event, LogLine, Severity
from gprov.domain.eventtext import event_text
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_facts
from gprov.domain.platform.fields import fields
from gprov.domain.platform.identify import identify
from gprov.domain.platform.keywords import keywords
from gprov.domain.platform.memory import installed_memory
from gprov.domain.platform.smbios import parse_table
from gprov.domain.unit.credentials import PasswordHash
from gprov.domain.unit.hostid import host_identity

_BRANDING = Branding()
_ESP = EspLocation(1, 2048, 409600, "03020100-0504-0706-0809-0a0b0c0d0e0f")
_SMBIOS = Path(__file__).parent.parent / "tests/unit/platform/data/qemu-pc-7.2.bin"
_HASH = PasswordHash("$6$salt$hash")


def load_option(data: bytes) -> None:
    describe_load_option(data)
    read_description(data)
    option = parse_load_option(data)
    expect(parse_load_option(serialise_load_option(option)) == option, "an entry that reads differently when written")
    decode_arguments(option.data)


def device_path(data: bytes) -> None:
    path = parse_device_path(data)
    expect(serialise_device_path(path) == data, "a path that is not written as it was read")
    describe_device_path(path)
    is_network_path(path)


def boot_variables(data: bytes) -> None:
    """A snapshot of NVRAM, to be corrected: once is enough, and the entries of others stay."""
    lists = {name: Variable(NV_BS_RT, data[2 * n : 2 * n + 6]) for n, name in enumerate((BOOT_ORDER, BOOT_NEXT))}
    entries = {
        f"Boot{part[0]:04X}": Variable(part[1], part[2:]) for part in data.split(b"\xff\xfe\xfd") if len(part) > 2
    }
    variables = {**lists, BOOT_CURRENT: Variable(6, data[:2]), **entries}
    started_by_fallback(variables, _BRANDING)
    started_partition(variables)
    wanted = wanted_entries(_BRANDING, _ESP, "console=ttyS0")
    changes = reconcile(variables, wanted)
    for change in changes:
        change.describe()
    after = apply_changes(variables, changes)
    expect(reconcile(after, wanted) == (), "boot entries that are corrected again and again")
    descriptions = {entry.description for entry in wanted}
    for name, entry in entries.items():
        if read_description(entry.data) not in descriptions:
            expect(after.get(name) == entry, "somebody else's boot entry was changed")
    parse_numbers(serialise_numbers(parse_numbers(data)))


def kernel_arguments(data: bytes) -> None:
    """The environment of /init, and the words of its command line."""
    text = data.decode("utf-8", "surrogateescape")
    environment = dict(word.partition("=")[::2] for word in text.split("\0"))
    arguments = parse_boot_arguments(environment, _BRANDING, text)
    carried = carried_arguments(arguments)
    expect(join_arguments(carried, carried) == join_arguments(carried), "an argument that is carried twice")
    kernel_words(text)
    parse_root(arguments.real_root)


def log_lines(data: bytes) -> None:
    text = event_text(Event(1, 0, LogLine(data.decode("utf-8", "surrogateescape"), Severity.LOG)))
    for first, second in pairwise(["", *text.split("\n")]):
        expect(not first or second.startswith("    "), "a line of the log that is not ours")
        expect(re.fullmatch(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f]*", second) is not None, "a control character in the log")


def smbios(data: bytes) -> None:
    table = parse_table(data)
    keywords(table)
    installed_memory(table)
    for structure in table.structures:
        fields(structure, table.version)
    unit = identify(table, default_table(), "QEMU-mfg-test")
    platform_facts(unit)
    host_identity(unit.serial, _BRANDING)


def platform_ident(data: bytes) -> None:
    """The code name on RECOVERY."""
    name = data[:4096].decode("utf-8", "replace").strip()
    identify(parse_table(_SMBIOS.read_bytes()), default_table(), name)


def superblock(data: bytes) -> None:
    record = parse_superblock("/dev/sda1", data, 4096)
    if record is not None:
        expect(record.slot is None or record.slot < record.disks, "a slot that the array does not have")


def partition_table(data: bytes) -> None:
    for size in (512, 4096):
        read_partition_ids(data, size, (1, 2, 9))


def mountinfo(data: bytes) -> None:
    parse_mountinfo(data)


def accounts(data: bytes) -> None:
    """passwd, group and shadow of an image."""
    parts = (*data.split(b"\xff", 2), b"", b"")[:3]
    for read in (lambda: ids_of(parts[0], "admin"), lambda: gid_of(parts[1], "adm")):
        try:
            read()
        except GprovError:
            continue
    changed = set_password_hash(parts[2], "admin", _HASH)
    expect(set_password_hash(changed, "admin", _HASH) == changed, "a password that is set anew each time")
    before, after = parts[2].split(b"\n"), changed.split(b"\n")
    expect(sum(one != two for one, two in zip(before, after, strict=True)) <= 1, "other lines were changed")


def lease(data: bytes) -> None:
    found = parse_lease("eth0", data)
    if found is not None:
        resolver_configuration(found.name_servers)


def http_headers(data: bytes) -> None:
    """The head of an answer, as requests hands it on, and what resuming a download makes of it."""
    head = http.client.HTTPResponse(_Received(data))  # type: ignore[arg-type]  # all that it asks for is makefile
    try:
        head.begin()
    except (http.client.HTTPException, OSError, ValueError):
        return  # never gets to us: the transport translates it
    response = requests.Response()
    response.status_code = head.status
    response.headers.update(head.getheaders())
    response.raw = HTTPResponse(io.BytesIO(b"x" * 64), preload_content=False)
    answer = Answer(response, HTTPAdapter())
    answer.described()
    _redirect_target("http://h/a", answer.headers.get("Location", ""))
    fd = os.memfd_create("fuzz")
    try:
        partial = PartialFile("x", fd)
        partial.restart(answer.headers, answer.length)
        partial.write(b"x")
        again = partial.resume_headers()
        requests.Request("GET", "http://h/", headers=again).prepare()
        for name, value in again.items():
            expect(value.isprintable() and value.isascii(), f"{name} that no request can carry")
        try:
            partial.check_rest(answer.headers)
        except Broken:
            expect(partial.size == 0, "what was refused was kept")
    finally:
        os.close(fd)


class _Received:
    """A socket that holds all that will come."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        expect(mode == "rb", mode)
        return io.BytesIO(self._data)


def _variables() -> list[bytes]:
    option = seeds.load_option()
    return [
        b"\0\0\1\0\2\0\xff\xfe\xfd\0\x07"
        + option
        + b"\xff\xfe\xfd\1\x07"
        + option[:-8]
        + b"\xff\xfe\xfd\2\x07"
        + option
    ]


def _smbios() -> list[bytes]:
    return [_SMBIOS.read_bytes()]


def _mounts() -> list[bytes]:
    return [b"22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n23 22 0:5 / /mnt/a\\040b rw - tmpfs  rw\n"]


def _accounts() -> list[bytes]:
    shadow = b"root:*:19000:0:99999:7:::\nadmin:!:19000:0:99999:7:::\n"
    return [
        b"\xff".join((b"root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home:/bin/sh\n", b"adm:x:4:admin\n", shadow))
    ]


def _lease() -> list[bytes]:
    return [b"ip=10.0.2.15\nsubnet=255.255.255.0\nrouter=10.0.2.2\ndns=10.0.2.3 8.8.8.8\nend\n"]


def _heads() -> list[bytes]:
    head = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 63\r\nContent-Range: bytes 1-63/64\r\n"
    return [
        head + b'ETag: "a"\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n',
        b"HTTP/1.0 302 Found\r\nLocation: http://u@h/\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 64\r\nETag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n',
    ]


_ARGUMENTS = (
    b"real_root=LABEL=PRIMARY\0DATA_ERASE=1\0PREFERRED_UPDATE=-Oldest\0PROVISION_KEY_WINDOW=1.5\0PROVISION_VERBOSE=1\0"
    b'PROVISION_BOOT_ARGS=a="b c" console=x\0frmode=shell console=ttyS0'
)
_ARGUMENT_WORDS = tuple(word.partition(b"=")[0] + b"=" for word in _ARGUMENTS.split(b"\0"))
_HEADER_WORDS = (b"Content-Length: ", b"Content-Range: bytes ", b"ETag: ", b"Last-Modified: ", b"Location: ", b"\r\n ")
_ENTRY_POINTS = (b"_SM3_", b"_SM_", b"\0\0", b"\x7f\x04")
_WIDE = (b"\x7f\xff\x04\0", b"\4\4", b"\4\1\x2a\0", b"\0\0", b"\0\xd8")

TARGETS = (
    Target("load-option", "UEFI load options", load_option, lambda: [seeds.load_option()], _WIDE),
    Target("device-path", "UEFI device paths", device_path, lambda: [seeds.load_option()[30:102]], _WIDE),
    Target("boot-variables", "UEFI boot variables", boot_variables, _variables, (*_WIDE, b"\xff\xfe\xfd")),
    Target("kernel-arguments", "kernel arguments", kernel_arguments, lambda: [_ARGUMENTS], _ARGUMENT_WORDS),
    Target(
        "log-lines", "texts in the log", log_lines, lambda: [b"a\nb\r\x1b[0m", "\u2028x".encode()], (b"\n", b"\x85")
    ),
    Target("smbios", "SMBIOS", smbios, _smbios, _ENTRY_POINTS),
    Target("smbios-sealed", "the same, checksum right", smbios, _smbios, _ENTRY_POINTS, seeds.sealed_entry_point),
    Target("platform-ident", "platform.ident", platform_ident, lambda: [b"QEMU-mfg-test\n", b"x"]),
    Target("md-superblock", "md superblocks", superblock, lambda: [seeds.superblock()]),
    Target(
        "md-superblock-sealed",
        "the same, checksum right",
        superblock,
        lambda: [seeds.superblock()],
        seal=seeds.sealed_superblock,
    ),
    Target("partition-table", "GPT and MBR", partition_table, lambda: [seeds.gpt(), b"\0" * 510 + b"\x55\xaa"]),
    Target(
        "partition-table-sealed",
        "the same, checksums right",
        partition_table,
        lambda: [seeds.gpt()],
        seal=seeds.sealed_gpt,
    ),
    Target("mountinfo", "mountinfo", mountinfo, _mounts, (b" - ", b"\\040", b"8:1")),
    Target("accounts", "passwd, group, shadow", accounts, _accounts, (b"admin:", b"\xff", b"::", b"\n")),
    Target("dhcp-lease", "DHCP leases", lease, _lease, (b"ip=", b"subnet=", b"\nend\n", b"255.")),
    Target("http-headers", "heads of HTTP answers", http_headers, _heads, _HEADER_WORDS),
)
