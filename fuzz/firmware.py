"""Targets: data of firmware and boot loaders: boot entries, kernel arguments, SMBIOS."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from fuzz import seeds
from fuzz.harness import Target, expect
from gprov.adapters.fake.firmware.firmware import apply_changes
from gprov.domain.boot.args import join_arguments, kernel_words, parse_boot_arguments, persistent_arguments
from gprov.domain.boot.boot_partition import booted_partition_guid
from gprov.domain.boot.entries import EspLocation, planned_entries, reconcile, started_by_fallback
from gprov.domain.branding import Branding
from gprov.domain.disk.rootspec import parse_root
from gprov.domain.erase.owner_variables import plan_removals
from gprov.domain.erase.tpm_state import TpmState
from gprov.domain.errors import BadInput
from gprov.domain.formats.efi.boot_variables import (
    BOOT_CURRENT,
    BOOT_NEXT,
    BOOT_ORDER,
    NV_BS_RT,
    entry_name,
    parse_numbers,
    serialise_numbers,
)
from gprov.domain.formats.efi.device_nodes import is_network_path
from gprov.domain.formats.efi.device_path import parse_device_path, serialise_device_path
from gprov.domain.formats.efi.device_text import describe_device_path
from gprov.domain.formats.efi.load_option import (
    decode_arguments,
    describe_load_option,
    parse_load_option,
    read_description,
    serialise_load_option,
)
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.formats.smbios.dmidecode_fields import fields
from gprov.domain.formats.smbios.dmidecode_keywords import keywords
from gprov.domain.formats.smbios.memory import installed_memory
from gprov.domain.formats.smbios.table import parse_table
from gprov.domain.formats.tpm.nv import parse_nv_data, parse_nv_public
from gprov.domain.formats.tpm.objects import parse_created, parse_handle, parse_unsealed
from gprov.domain.formats.tpm.policy import parse_pcrs, parse_session
from gprov.domain.formats.tpm.replies import parse_handles, parse_properties, parse_reply
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_facts
from gprov.domain.platform.identify import identify
from gprov.domain.unit.hostid import host_identity

_BRANDING = Branding()
_ESP = EspLocation(1, 2048, 409600, "03020100-0504-0706-0809-0a0b0c0d0e0f")
_SMBIOS = Path(__file__).parent.parent / "tests/unit/platform/data/qemu-pc-7.2.bin"


def load_option(data: bytes) -> None:
    describe_load_option(data)
    read_description(data)
    option = parse_load_option(data)
    expect(
        parse_load_option(serialise_load_option(option)) == option, "an entry that changes when it is written and read"
    )
    decode_arguments(option.data)


def device_path(data: bytes) -> None:
    path = parse_device_path(data)
    expect(serialise_device_path(path) == data, "a device path that changes when it is read and written")
    describe_device_path(path)
    is_network_path(path)


def boot_variables(data: bytes) -> None:
    """Correct the boot entries in NVRAM: a second run changes nothing, and foreign entries stay."""
    lists = {name: Variable(NV_BS_RT, data[2 * n : 2 * n + 6]) for n, name in enumerate((BOOT_ORDER, BOOT_NEXT))}
    entries = {
        f"Boot{part[0]:04X}": Variable(part[1], part[2:]) for part in data.split(b"\xff\xfe\xfd") if len(part) > 2
    }
    variables = {**lists, BOOT_CURRENT: Variable(6, data[:2]), **entries}
    started_by_fallback(variables, _BRANDING)
    booted_partition_guid(variables)
    wanted = planned_entries(_BRANDING, _ESP, "console=ttyS0")
    changes = reconcile(variables, wanted)
    for change in changes:
        change.describe()
    after = apply_changes(variables, changes)
    expect(reconcile(after, wanted) == (), "a second run changes the boot entries again")
    descriptions = {entry.description for entry in wanted}
    for name, entry in entries.items():
        if read_description(entry.data) not in descriptions:
            expect(after.get(name) == entry, "a foreign boot entry was changed")
    parse_numbers(serialise_numbers(parse_numbers(data)))
    _removals(variables)


def _removals(variables: dict[str, Variable]) -> None:
    """An erase removes foreign entries; it never touches one of gprov's, nor the one of this start."""
    own = (_BRANDING.normal_entry, _BRANDING.restore_entry, _BRANDING.erase_entry)
    named = {VariableName(name): variable for name, variable in variables.items()}
    plan = plan_removals(named, (), own, (_ESP.partition_guid,))
    removed = {removal.name.name for removal in plan.removals}
    kept = [name for name in variables if read_description(variables[name].data) in own]
    current = parse_numbers(variables[BOOT_CURRENT].data)
    expect(removed.isdisjoint([*kept, *map(entry_name, current)]), "a boot entry that is needed is removed")
    after = apply_changes({name: one for name, one in variables.items() if name not in removed}, plan.lists)
    listed = parse_numbers(after[BOOT_ORDER].data) if BOOT_ORDER in after else ()
    expect(removed.isdisjoint(map(entry_name, listed)), "BootOrder names a boot entry that is removed")


def tpm_reply(data: bytes) -> None:
    reply = parse_reply(data)
    reply.describe("lockout")
    for parse in (parse_created, parse_handle, parse_unsealed, parse_session, parse_nv_public, parse_nv_data):
        with suppress(BadInput):
            parse(reply.content)
    with suppress(BadInput):
        parse_pcrs(reply.content, frozenset((7, 13)))
    try:
        TpmState(next(iter(parse_properties(reply.content).values()), 0), ()).describe()
    except BadInput:
        TpmState(0, parse_handles(reply.content)).describe()


def kernel_arguments(data: bytes) -> None:
    """Environment of /init, and words of the kernel command line."""
    text = data.decode("utf-8", "surrogateescape")
    environment = dict(word.partition("=")[::2] for word in text.split("\0"))
    arguments = parse_boot_arguments(environment, _BRANDING, text)
    carried = persistent_arguments(arguments)
    expect(join_arguments(carried, carried) == join_arguments(carried), "an argument that is repeated twice")
    kernel_words(text)
    parse_root(arguments.real_root)


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


def _tpm_replies() -> list[bytes]:
    properties = bytes.fromhex("800100000013 00000000 00 00000006 00000001 00000200 00000003")
    handles = bytes.fromhex("80010000001b 00000000 00 00000001 00000002 81000001 81800000")
    return [
        len(content).to_bytes(4).join((content[:2], content[6:]))
        for content in (properties, handles, bytes.fromhex("80010000000a 000009a2"))
    ]


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


_ARGUMENTS = (
    b"real_root=LABEL=PRIMARY\0DATA_ERASE=1\0PREFERRED_UPDATE=-Oldest\0PROVISION_KEY_WINDOW=1.5\0PROVISION_VERBOSE=1\0"
    b'PROVISION_BOOT_ARGS=a="b c" console=x\0frmode=shell console=ttyS0'
)
_ARGUMENT_WORDS = tuple(word.partition(b"=")[0] + b"=" for word in _ARGUMENTS.split(b"\0"))
_ENTRY_POINTS = (b"_SM3_", b"_SM_", b"\0\0", b"\x7f\x04")
_WIDE = (b"\x7f\xff\x04\0", b"\4\4", b"\4\1\x2a\0", b"\0\0", b"\0\xd8")

TARGETS = (
    Target("load-option", "UEFI load options", load_option, lambda: [seeds.load_option()], _WIDE),
    Target("device-path", "UEFI device paths", device_path, lambda: [seeds.load_option()[30:102]], _WIDE),
    Target("boot-variables", "UEFI boot variables", boot_variables, _variables, (*_WIDE, b"\xff\xfe\xfd")),
    Target("tpm-replies", "replies of a TPM", tpm_reply, _tpm_replies),
    Target("kernel-arguments", "kernel arguments", kernel_arguments, lambda: [_ARGUMENTS], _ARGUMENT_WORDS),
    Target("smbios", "SMBIOS", smbios, _smbios, _ENTRY_POINTS),
    Target(
        "smbios-sealed",
        "the same, checksum right",
        smbios,
        _smbios,
        _ENTRY_POINTS,
        seeds.with_valid_checksums_entry_point,
    ),
    Target("platform-ident", "platform.ident", platform_ident, lambda: [b"QEMU-mfg-test\n", b"x"]),
)
