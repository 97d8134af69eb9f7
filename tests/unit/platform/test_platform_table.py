"""Platform tables: what is read, and every problem with its place."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.errors import BadInput, GprovError
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_entry
from gprov.domain.platform.model import (
    FakeraidType,
    Lcd,
    LocateMethod,
    ModelField,
    Platform,
    RaidLevel,
    ValidateMethod,
    Virtualization,
)
from gprov.domain.platform.table import PlatformTable, parse_platform_table, read_platform_table
from gprov.domain.platform.unused import unused_values

# As the earlier system writes it.
FULL = {
    "_comment": "every key",
    "Familyname": "oxcart",
    "DmiMbMfg": "Maker",
    "DmiProdName": "Board 1",
    "DmiProdModelRegex": "^OX-1[0-9]$",
    "DmiPMOverrideTyp": 3,
    "DmiPMOverrideFld": "SKU Number:",
    "CPU": "Fast CPU\nNot Specified",
    "SerNumField": "chassis-serial-number",
    "NICInfo": {
        "SharedDiagPorts": [0, 2],
        "WANIndex": 1,
        "DefaultNamesNoDiag": ["LAN", "WAN"],
        "MACPrefix": ["56:78:90", "A0:b1:2:"],
    },
    "IPMI": True,
    "IPMIChannel": 8,
    "NumDataDisks": 2,
    "Disksize": 480103981056,
    "DiskIsSSD": True,
    "SwRaidlevel": 1,
    "FakeraidType": "iMSM",
    "BiosConfigTool": "biostool",
    "IpmiConfigTool": "ipmitool",
    "Virttype": 2,
    "RecoveryMedia": {
        "LocateRDMethod": "byLabel",
        "ValidateRDMethod": "sata",
        "FsType": "ext4,ext3",
        "FsOptsAdditional": "errors=remount-ro,noatime",
        "FsOptsOverride": True,
        "SSD": True,
        "AdminOwnsFolders": True,
    },
    "Lcd": "635",
    "DevCodeName": "Oxcart-12",
    "Partoffset": "2048s",
    "Lowmemory": True,
    "Prototype": True,
    "DiskSTol": 2,
    "DiskTTol": 10,
}
LEAST = {
    "Familyname": "f",
    "DmiMbMfg": "M",
    "DmiProdName": "P",
    "DmiProdModelRegex": "",
    "SerNumField": "system-serial-number",
    "NICInfo": {"SharedDiagPorts": [], "WANIndex": 0, "DefaultNamesNoDiag": []},
    "NumDataDisks": 1,
    "Disksize": 1,
    "SwRaidlevel": -1,
    "RecoveryMedia": {"FsType": "ext3"},
    "Lcd": "none",
    "DevCodeName": "least",
}


def parsed(*entries: object) -> tuple[Platform, ...]:
    return parse_platform_table("appliance.json", json.dumps({"Variants": list(entries)}).encode())


def reading(*entries: object) -> PlatformTable:
    return read_platform_table("appliance.json", json.dumps({"Variants": list(entries)}).encode())


def problems(*entries: object) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parsed(*entries)
    return [str(problem) for problem in caught.value.problems]


def test_every_key() -> None:
    (platform,) = parsed(FULL)
    assert platform.code_name == "Oxcart-12"
    assert platform.family_name == "oxcart"
    assert (platform.manufacturer, platform.product, platform.model_regex) == ("Maker", "Board 1", "^OX-1[0-9]$")
    assert platform.model_field == ModelField(3, "SKU Number:")
    assert platform.cpu == ("Fast CPU", "Not Specified")
    assert platform.serial_field == "chassis-serial-number"
    assert platform.nic_info.diag_ports == (0, 2)
    assert platform.nic_info.wan_index == 1
    assert platform.nic_info.names == ("LAN", "WAN")
    assert platform.nic_info.mac_prefixes == ("56:78:90", "a0:b1:02")
    assert (platform.ipmi, platform.ipmi_channel) == (True, 8)
    assert (platform.data_disks, platform.disk_size, platform.disk_is_ssd) == (2, 480103981056, True)
    assert platform.raid_level is RaidLevel.RAID1
    assert platform.fakeraid_type is FakeraidType.IMSM
    assert (platform.bios_config_tool, platform.ipmi_config_tool) == ("biostool", "ipmitool")
    assert platform.virtualization is Virtualization.KVM
    media = platform.recovery_media
    assert (media.locate, media.validate) == (LocateMethod.BY_LABEL, ValidateMethod.SATA)
    assert media.fs_types == (FileSystemKind.EXT4, FileSystemKind.EXT3)
    assert (media.extra_options, media.override_options, media.ssd) == ("errors=remount-ro,noatime", True, True)
    assert media.admin_owns_folders
    assert platform.lcd is Lcd.CFA635
    assert (platform.partition_offset, platform.low_memory, platform.prototype) == ("2048s", True, True)
    assert (platform.set_tolerance_pct, platform.target_tolerance_pct) == (2, 10)


def test_what_is_not_told() -> None:
    (platform,) = parsed(LEAST)
    assert platform.raid_level is None
    assert platform.model_field is None
    assert platform.fakeraid_type is None
    assert platform.cpu == ()
    assert platform.nic_info.mac_prefixes == ()
    assert platform.virtualization is Virtualization.BARE_METAL
    assert platform.recovery_media.locate is LocateMethod.BY_LABEL
    assert platform.recovery_media.validate is ValidateMethod.NONE
    assert not platform.recovery_media.admin_owns_folders
    assert (platform.set_tolerance_pct, platform.target_tolerance_pct) == (1, 5)


def test_zero_tolerances_mean_the_usual_ones() -> None:
    (platform,) = parsed(LEAST | {"DiskSTol": 0, "DiskTTol": 0})
    assert (platform.set_tolerance_pct, platform.target_tolerance_pct) == (1, 5)


def test_a_file_system_that_is_not_told_is_ext4() -> None:
    (platform,) = parsed(LEAST | {"RecoveryMedia": {}})
    assert platform.recovery_media.fs_types == (FileSystemKind.EXT4,)


def test_options_of_owners_that_ext_rejects_are_pointed_out() -> None:
    media: dict[str, object] = {"FsOptsAdditional": "noatime,uid=$u,gid=$g"}
    text = "uid=$u,gid=$g is left out: ext4 stores owners; AdminOwnsFolders sets them"
    found = read_platform_table("t", json.dumps({"Variants": [LEAST | {"RecoveryMedia": media}]}).encode()).readings
    assert [(reading.place, reading.message) for reading in found] == [
        ("$.Variants[0].RecoveryMedia.FsOptsAdditional", text)
    ]
    over_9p = {"LocateRDMethod": "9p", "ValidateRDMethod": "9p", **media}
    assert not read_platform_table(
        "t", json.dumps({"Variants": [LEAST | {"RecoveryMedia": over_9p}]}).encode()
    ).readings


def test_any_mac_prefix() -> None:
    info = {"SharedDiagPorts": [], "WANIndex": 0, "DefaultNamesNoDiag": [], "MACPrefix": ["*"]}
    (platform,) = parsed(LEAST | {"NICInfo": info})
    assert platform.nic_info.mac_prefixes == ("*",)


def test_a_recovery_volume_over_9p_has_no_disk_file_system() -> None:
    over_9p = LEAST | {"RecoveryMedia": {"LocateRDMethod": "9p", "ValidateRDMethod": "9p", "FsType": "9p"}}
    table = read_platform_table("t", json.dumps({"Variants": [over_9p]}).encode())
    assert table.unknown == ()
    (platform,) = table.platforms
    assert platform.recovery_media.fs_types == ()
    assert platform.recovery_media.locate is LocateMethod.P9


@pytest.mark.parametrize("key", LEAST)
def test_each_needed_key(key: str) -> None:
    found = problems({name: value for name, value in LEAST.items() if name != key})
    assert found == [f"$.Variants[0].{key}: is missing"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"DmiProdModelRegex": "(["}, "$.Variants[0].DmiProdModelRegex: is not a usable regular expression"),
        ({"DmiProdModelRegex": "[[:alpha:]]"}, "$.Variants[0].DmiProdModelRegex: is not a usable regular expression"),
        ({"NumDataDisks": 0}, "$.Variants[0].NumDataDisks: must be at least 1, is 0"),
        ({"Disksize": -5}, "$.Variants[0].Disksize: must be at least 1, is -5"),
        ({"Disksize": 0}, "$.Variants[0].Disksize: must be at least 1, is 0"),
        ({"Disksize": 1.5}, "$.Variants[0].Disksize: must be a whole number"),
        ({"SwRaidlevel": 2}, "$.Variants[0].SwRaidlevel: unknown value 2; known: -1 (none), 0, 1, 5, 6, 10"),
        ({"SwRaidlevel": 0}, "$.Variants[0].SwRaidlevel: RAID 0 needs 2 disks, NumDataDisks is 1"),
        ({"SwRaidlevel": 5, "NumDataDisks": 2}, "RAID 5 needs 3 disks"),
        ({"SwRaidlevel": 6, "NumDataDisks": 3}, "RAID 6 needs 4 disks"),
        ({"SwRaidlevel": 10, "NumDataDisks": 3}, "RAID 10 needs 4 disks"),
        ({"FakeraidType": "lvm"}, "$.Variants[0].FakeraidType: unknown value 'lvm'"),
        ({"Virttype": 6}, "$.Variants[0].Virttype: must be 0..5, is 6"),
        ({"Lcd": "633"}, "$.Variants[0].Lcd: unknown value '633'; known: 635, 631, none"),
        ({"DiskSTol": -1}, "$.Variants[0].DiskSTol: must be 0..100"),
        ({"DiskTTol": 101}, "$.Variants[0].DiskTTol: must be 0..100"),
        ({"IPMIChannel": 16}, "$.Variants[0].IPMIChannel: must be 0..15"),
        ({"IPMI": "yes"}, "$.Variants[0].IPMI: must be true or false"),
        ({"SerNumField": "system-serial"}, "$.Variants[0].SerNumField: 'system-serial' is not a keyword of dmidecode"),
        ({"DmiPMOverrideTyp": 2}, "$.Variants[0].DmiPMOverrideFld: is missing, though DmiPMOverrideTyp is 2"),
        ({"DmiPMOverrideTyp": 2, "DmiPMOverrideFld": "Colour"}, "'Colour' is not a known field of SMBIOS type 2"),
        ({"DevCodeName": " x"}, "$.Variants[0].DevCodeName: ' x' has blanks"),
        ({"DevCodeName": ""}, "$.Variants[0].DevCodeName: must not be empty"),
        ({"DmiMbMfg": " "}, "$.Variants[0].DmiMbMfg: must not be empty"),
        ({"RecoveryMedia": {"FsType": "ntfs,vfat"}}, "$.Variants[0].RecoveryMedia.FsType: 'ntfs,vfat' lists no file"),
        ({"RecoveryMedia": {"FsType": "9p"}}, "$.Variants[0].RecoveryMedia.FsType: '9p' lists no file system that"),
        ({"RecoveryMedia": {"FsType": "ext2"}}, "be made as: write ext4, ext3 or both"),
        ({"Lcd": 635}, "$.Variants[0].Lcd: must be text, is number 635"),
        ({"RecoveryMedia": {"LocateRDMethod": "uuid"}}, "$.Variants[0].RecoveryMedia.LocateRDMethod: unknown value"),
        ({"RecoveryMedia": {"ValidateRDMethod": "nvme"}}, "$.Variants[0].RecoveryMedia.ValidateRDMethod: unknown"),
        ({"RecoveryMedia": {"FsOptsAdditional": "a b"}}, "$.Variants[0].RecoveryMedia.FsOptsAdditional: must not hold"),
        ({"NICInfo": {"WANIndex": -1}}, "$.Variants[0].NICInfo.WANIndex: must be at least 0, is -1"),
        ({"NICInfo": {"WANIndex": 1, "DefaultNamesNoDiag": ["a"]}}, "$.Variants[0].NICInfo.WANIndex: is 1, but there"),
        ({"NICInfo": {"SharedDiagPorts": [0, -2]}}, "$.Variants[0].NICInfo.SharedDiagPorts[1]: must be at least 0"),
        ({"NICInfo": {"SharedDiagPorts": [1, 1]}}, "$.Variants[0].NICInfo.SharedDiagPorts: names a port twice"),
        ({"NICInfo": {"MACPrefix": ["56:78:90", "*"]}}, "$.Variants[0].NICInfo.MACPrefix[1]: '*' is not a MAC prefix"),
        ({"NICInfo": {"MACPrefix": ["5678"]}}, "$.Variants[0].NICInfo.MACPrefix[0]: '5678' is not a MAC prefix"),
    ],
)
def test_each_problem(change: dict[str, object], words: str) -> None:
    found = problems(LEAST | change)
    assert len(found) == 1
    assert words in found[0]


def test_all_problems_at_once() -> None:
    found = problems(LEAST | {"Lcd": "x", "NumDataDisks": 0}, {"DevCodeName": "second"}, 7)
    assert len(found) == 2 + (len(LEAST) - 1) + 1
    assert "$.Variants[2]: must be an object, is number 7" in found


def test_two_platforms_with_one_code_name() -> None:
    table = reading(LEAST, LEAST | {"DmiProdName": "Q"})
    assert [platform.product for platform in table.platforms] == ["P", "Q"]
    assert [str(one) for one in table.readings] == [
        (
            "$.Variants[1].DevCodeName: least is that of $.Variants[0] too: both have the same ValidationData and "
            "steps, and no fallback can be it"
        )
    ]


@pytest.mark.parametrize("word", ["cfex", "caf2k", "CAF2K"])
def test_displays_that_the_earlier_system_does_not_drive(word: str) -> None:
    table = reading(LEAST | {"Lcd": word})
    assert table.platforms[0].lcd is Lcd.NONE
    assert [str(one) for one in table.readings] == [
        f"$.Variants[0].Lcd: {word} is read as none: gprovision drives no such display"
    ]


@pytest.mark.parametrize(
    ("text", "kinds", "told"),
    [
        ("ntfs,vfat,ext4", (FileSystemKind.EXT4,), True),
        ("vfat, EXT3,ext4", (FileSystemKind.EXT3, FileSystemKind.EXT4), True),
        ("ext4,ntfs", (FileSystemKind.EXT4,), False),
        ("ext3", (FileSystemKind.EXT3,), False),
    ],
)
def test_the_first_file_system_that_can_be_made(text: str, kinds: tuple[FileSystemKind, ...], told: bool) -> None:
    table = reading(LEAST | {"RecoveryMedia": {"FsType": text}})
    assert table.platforms[0].recovery_media.fs_types == kinds
    expected = f"$.Variants[0].RecoveryMedia.FsType: {text} is read as {kinds[0].value}: the first that can be made"
    assert [str(one) for one in table.readings] == ([expected] if told else [])


def test_two_platforms_that_recognise_the_same_machines() -> None:
    found = problems(LEAST, LEAST | {"DevCodeName": "other"})
    assert found == ["$.Variants[1]: recognises the same machines as $.Variants[0]"]
    assert len(parsed(LEAST, LEAST | {"DevCodeName": "other", "CPU": "x"})) == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"Variants": []}', '{"Variants": {}}', '{"Variants": null}'])
def test_tables_without_platforms(text: str) -> None:
    with pytest.raises(BadInput):
        parse_platform_table("x", text.encode())


def test_the_default_table_of_the_earlier_system_is_read() -> None:
    """Values of gprovision's ``aj_default``: two of its machines have one code name, one has RECOVERY over 9p."""
    shared = LEAST | {
        "Familyname": "qemu",
        "Virttype": 2,
        "DiskIsSSD": True,
        "Prototype": True,
        "DmiMbMfg": "GPROV_QEMU",
    }
    usb = {"LocateRDMethod": "byLabel", "ValidateRDMethod": "usb", "FsType": "ext3", "SSD": True}
    over_9p = {"LocateRDMethod": "9p", "ValidateRDMethod": "9p", "FsType": "9p", "FsOptsAdditional": "trans=virtio"}
    cpu = {"DmiMbMfg": "cputest", "DmiProdName": "cputest", "RecoveryMedia": usb}
    platforms = parsed(
        shared | {"DmiProdName": "9p2k_dev", "DevCodeName": "QEMU", "RecoveryMedia": over_9p},
        shared | {"DmiProdName": "mfg_test", "DevCodeName": "QEMU-mfg-test", "RecoveryMedia": usb},
        shared | {"DmiProdName": "mfg_test_ipmi", "DevCodeName": "QEMU-mfg-test", "RecoveryMedia": usb, "IPMI": True},
        shared | cpu | {"CPU": "someVersion", "DevCodeName": "cputest1"},
        shared | cpu | {"CPU": "someOtherVersion", "DevCodeName": "cputest2"},
    )
    assert [platform.code_name for platform in platforms] == [
        "QEMU",
        "QEMU-mfg-test",
        "QEMU-mfg-test",
        "cputest1",
        "cputest2",
    ]
    assert [platform.ipmi for platform in platforms] == [False, False, True, False, False]


def test_what_is_written_is_read() -> None:
    for platform in (*default_table(), *parsed(FULL, LEAST)):
        assert parsed(platform_entry(platform)) == (platform,)


def test_the_default_table() -> None:
    first, second, *others = default_table()
    assert {(each.product, each.code_name) for each in others} == {
        (f"mfg_test_{kind}", f"QEMU-mfg-test-{kind}")
        for kind in ("raid1", "raid5", "huge", "dom", "internal", "small", "smallraid1")
    }
    by_product = {each.product: each for each in others}
    assert (by_product["mfg_test_raid1"].data_disks, by_product["mfg_test_raid1"].raid_level) == (2, RaidLevel.RAID1)
    assert (by_product["mfg_test_raid5"].data_disks, by_product["mfg_test_raid5"].raid_level) == (3, RaidLevel.RAID5)
    assert by_product["mfg_test_huge"].disk_size == 3 << 40
    small, small_array = by_product["mfg_test_small"], by_product["mfg_test_smallraid1"]
    assert (small.data_disks, small.disk_size, small.raid_level) == (1, 1 << 30, None)
    assert (small_array.data_disks, small_array.disk_size, small_array.raid_level) == (2, 1 << 30, RaidLevel.RAID1)
    assert by_product["mfg_test_dom"].recovery_media.validate is ValidateMethod.SATA
    assert by_product["mfg_test_internal"].recovery_media.validate is ValidateMethod.NONE
    assert (first.manufacturer, first.product, first.code_name) == ("GPROV_QEMU", "mfg_test", "QEMU-mfg-test")
    assert (second.product, second.ipmi) == ("mfg_test_ipmi", True)
    assert first.code_name != second.code_name
    assert (first.data_disks, first.disk_size, first.raid_level) == (1, 21474836480, None)
    assert first.recovery_media.validate is ValidateMethod.USB


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(FULL)), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(sorted(FULL)), JSON))
def test_any_values(change: dict[str, object]) -> None:
    with suppress(GprovError):  # either end is right, and nothing else
        assert parsed(FULL | change)


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_platform_table("x", data)


def test_raid_of_the_firmware_is_warned_about_it_matters_for_an_erase_only() -> None:
    platform = replace(default_table()[0], fakeraid_type=FakeraidType.DDF)
    [unused] = unused_values(platform)
    assert unused.place == "FakeraidType"
    assert "an erase of the data disks puts its metadata back" in unused.message
