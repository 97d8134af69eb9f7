"""Every key of manufData.json and appliance.json, every test switch and every kernel argument: what comes of it.

The lists of keys are read from the parsers, so that a new key needs an entry here: the test that shows what it does, or
``WARNED`` (this version does nothing with it, and says so), or ``IMAGE`` (gprov only passes it on).
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from typing_extensions import override

from gprov.domain.boot.args import parse_boot_arguments
from gprov.domain.branding import Branding
from gprov.domain.mfg import fileread, manuf, specread, stepread
from gprov.domain.mfg.switches import Switch
from gprov.domain.platform import table
from gprov.domain.platform.facts import platform_entry
from gprov.domain.platform.unused import unused_values
from tests.unit.platform.test_platform_table import FULL, parsed

WARNED = "this version does nothing with it, and says so"
IMAGE = "for programs in the image"

_READERS = frozenset(
    ["text", "integer", "boolean", "one_of", "object", "objects", "texts", "integers", "lists_of_objects", "string_map"]
)
_KEY = re.compile(r"[A-Z]\w+")
_TESTS = Path(__file__).parents[1]

COMPARE, DISKS = "platform/test_compare.py::", "platform/test_diskmatch.py::"
MANUF, STEPS, SWITCHES = "mfg/test_manuf.py::", "flow/test_steps_flow.py::", "flow/test_switches_flow.py::"
BMC = "bmc/test_bmc_flow.py::"
ERASE = "flow/test_erase_flow.py::"
MEDIA = "flow/test_emergency_media.py::"
IDENTIFY, ARGS, MENU = "platform/test_identify.py::", "boot/test_args.py::", "flow/test_menu_flow.py::"
TEMPLATES = f"{STEPS}test_a_command_gets_its_templates_filled_its_paths_and_a_folder_with_its_files"

MANUF_KEYS = {
    "ApplianceJsonUrl": "flow/test_bad_provisioning.py::",
    "Files": f"{MANUF}test_everything_is_read",
    "Src": f"{MANUF}test_everything_is_read",
    "Sha1": f"{MANUF}test_everything_is_read",
    "Sha256": f"{STEPS}test_a_file_of_a_step_with_another_hash_is_refused",
    "Dest": f"{MANUF}test_destinations_with_a_leading_slash_are_on_recovery",
    "LogEndpoint": f"{MANUF}test_endpoints_as_files_of_the_earlier_system_have_them",
    "CredentialEndpoint": f"{MANUF}test_endpoints_as_files_of_the_earlier_system_have_them",
    "StashFiles": f"{STEPS}test_a_stash_archive_is_unpacked_and_its_script_run",
    "ValidationData": f"{MANUF}test_specification_is_read",
    "DevCodeName": f"{STEPS}test_steps_of_another_platform_do_not_run",
    "CPUInfo": f"{COMPARE}test_processors",
    "Cores": f"{COMPARE}test_processors",
    "Sockets": f"{COMPARE}test_processors",
    "RamMegs": f"{COMPARE}test_memory_is_what_is_usable_or_what_is_installed",
    "Recovery": f"{DISKS}test_no_recovery_disk",
    "MainDiskConfigs": f"{DISKS}test_any_alternative_is_right",
    "Size": f"{DISKS}test_one_disk",
    "SizeTolerancePct": f"{DISKS}test_one_disk",
    "Vendor": f"{DISKS}test_one_disk",
    "Model": f"{DISKS}test_one_disk",
    "Quantity": f"{DISKS}test_a_huge_quantity_is_just_wrong",
    "NumOUINics": f"{COMPARE}test_interfaces",
    "OUINicsSequential": f"{COMPARE}test_interfaces",
    "TotalNics": f"{COMPARE}test_interfaces",
    "FirmwareVer": f"{COMPARE}test_all_differences_at_once",
    "BIOS": f"{COMPARE}test_all_differences_at_once",
    "IPMI": f"{COMPARE}test_firmware_of_the_management_controller",
    "FRU": f"{COMPARE}test_firmware_of_the_management_controller",
    "SDR": MANUF,
    "ME": f"{COMPARE}test_firmware_of_the_management_controller",
    "Devices": f"{COMPARE}test_pci_devices",
    "Exact": f"{COMPARE}test_a_device_beyond_a_complete_list",
    "PCI": f"{COMPARE}test_pci_devices",
    "USB": f"{COMPARE}test_usb_devices",
    "Device": f"{COMPARE}test_pci_devices",
    "Class": f"{COMPARE}test_usb_devices",
    "HumanDescription": f"{COMPARE}test_devices_in_words",
    "SerNumRegex": f"{COMPARE}test_the_serial_number_of_a_prototype_follows_no_rule",
    "DmiMatches": f"{COMPARE}test_dmi_matches",
    "CustomPlatCfgSteps": f"{STEPS}test_steps_run_at_their_points_in_order",
    "ConfigSteps": f"{STEPS}test_steps_run_at_their_points_in_order",
    "Name": f"{MANUF}test_steps_are_read",
    "When": f"{STEPS}test_steps_run_at_their_points_in_order",
    "Verbose": f"{SWITCHES}test_verbose_logging_logs_what_commands_print",
    "Commands": TEMPLATES,
    "Command": TEMPLATES,
    "AddPath": TEMPLATES,
    "AddLibPath": TEMPLATES,
    "ExitStatus": f"{STEPS}test_a_command_is_accepted_by_its_exit_status",
}
PLATFORM_KEYS = {
    "Variants": "platform/test_platform_table.py::test_tables_without_platforms",
    "DevCodeName": f"{IDENTIFY}test_fallback_if_nothing_fits",
    "Familyname": IMAGE,
    "DmiMbMfg": f"{IDENTIFY}test_by_base_board",
    "DmiProdName": f"{IDENTIFY}test_by_base_board",
    "DmiProdModelRegex": f"{IDENTIFY}test_the_model_must_match",
    "DmiPMOverrideTyp": f"{IDENTIFY}test_the_model_in_another_field",
    "DmiPMOverrideFld": f"{IDENTIFY}test_the_model_in_another_field",
    "CPU": f"{IDENTIFY}test_processors_tell_models_apart",
    "SerNumField": f"{IDENTIFY}test_a_field_that_the_firmware_does_not_have",
    "NICInfo": "unitid/test_nics.py::test_labels_and_wan",
    "SharedDiagPorts": "unitid/test_nics.py::test_shared_diagnostic_ports_are_counted_among_the_own_and_skipped",
    "WANIndex": "unitid/test_nics.py::test_labels_and_wan",
    "DefaultNamesNoDiag": "unitid/test_nics.py::test_labels_and_wan",
    "MACPrefix": "unitid/test_nics.py::test_mac_prefix",
    "IPMI": f"{BMC}test_the_units_account_is_the_only_one_that_lets_in_and_the_server_knows_the_mac",
    "IPMIChannel": f"{BMC}test_all_lan_channels_or_the_one_of_the_platform",
    "NumDataDisks": "disk/test_targets.py::test_a_missing_disk_is_refused",
    "Disksize": "disk/test_targets.py::test_tolerance_includes_its_bounds",
    "DiskSTol": "disk/test_targets.py::test_a_set_that_disagrees_is_refused",
    "DiskTTol": "disk/test_targets.py::test_tolerance_includes_its_bounds",
    "DiskIsSSD": "plan/test_plans_whole.py::",
    "SwRaidlevel": "plan/test_plan_properties.py::test_an_array_of_the_last_partition_of_each_disk",
    "FakeraidType": IMAGE,
    "BiosConfigTool": WARNED,
    "IpmiConfigTool": WARNED,
    "Virttype": IMAGE,
    "RecoveryMedia": "disk/test_recovery_disk.py::test_attachment_rules",
    "LocateRDMethod": "disk/test_recovery_disk.py::test_a_recovery_that_is_no_device_is_refused",
    "ValidateRDMethod": "disk/test_recovery_disk.py::test_attachment_rules",
    "FsType": "platform/test_platform_table.py::test_the_first_file_system_that_can_be_made",
    "FsOptsAdditional": "disk/test_fstab.py::test_additional_options_follow_the_usual_ones_with_ids_filled_in",
    "FsOptsOverride": "disk/test_fstab.py::test_override_replaces_the_usual_options",
    "AdminOwnsFolders": "flow/test_recovery_owner.py::test_the_folders_of_images_and_logs_become_admins",
    "SSD": "disk/test_fstab.py::test_uefi_unit",
    "Lcd": "flow/test_displays_flow.py::test_a_platform_with_a_display_waits_for_it_though_none_was_found",
    "Partoffset": IMAGE,
    "Lowmemory": IMAGE,
    "Prototype": IMAGE,
}
ARGUMENTS = {
    "real_root": f"{ARGS}test_a_normal_boot",
    "DATA_ERASE": f"{ERASE}test_an_erased_unit_holds_nothing_of_its_system_and_restores_itself",
    "DATA_ERASE_SERIAL": f"{ERASE}test_without_confirmation_nothing_changes",
    "DATA_ERASE_OPTIONS": f"{ERASE}test_an_option_that_is_not_understood_stops_the_erase",
    "frmode": "flow/test_recovery_shell.py::test_the_right_password_opens_a_shell_on_read_only_volumes",
    "mfgurl": "flow/test_lifecycle.py::",
    "PREFERRED_UPDATE": f"{MENU}test_without_a_person_the_boot_entry_selects_the_image",
    "PROTO_IDENT": "flow/test_bad_restore.py::",
    "KERNEL_OVERRIDE": "flow/test_bad_restore.py::",
    "NO_REBOOT": "apps/test_no_reboot.py::test_the_normal_kernel_refuses_and_restarts_as_usual",
    "PROVISION_XLOG": f"{SWITCHES}test_provisioning_reports_to_the_server_of_xlog_too",
    "PROVISION_VERBOSE": f"{ARGS}test_carried_arguments_are_read_back_as_they_were",
    "PROVISION_CONT_LOGGING": f"{SWITCHES}test_cont_logging_lets_all_later_starts_log_to_the_factory_server",
    "PROVISION_MFG_TEST": f"{SWITCHES}test_an_unknown_switch_is_refused_before_anything_is_done",
    "PROVISION_EMERGENCY": f"{MEDIA}test_a_unit_may_ignore_removable_media",
    "PROVISION_EMERGENCY_WAIT": f"{MEDIA}test_a_unit_may_wait_for_removable_media_as_long_as_its_argument_says",
    "PROVISION_KEY_WINDOW": f"{MENU}test_a_key_window_of_zero_seconds_is_not_waited_for",
    "PROVISION_ROOT_WAIT": "flow/test_kept_arguments.py::",
    "PROVISION_ARRAY_WAIT": "flow/test_raid_flow.py::",
    "PROVISION_FAILURE_HOLD": "apps/test_mfg_main.py::",
    "PROVISION_LCD_MANUFACTURER": f"{ARGS}test_the_manufacturer_of_displays_is_passed_on",
    "PROVISION_BOOT_ARGS": "flow/test_kept_arguments.py::",
    "PROVISION_LOADER_FALLBACK": "flow/test_evidence.py::",
}
SWITCH_WORDS = {
    "Verbose-logging": f"{SWITCHES}test_verbose_logging_logs_what_commands_print",
    "Skip-networking": f"{SWITCHES}test_a_provisioning_that_left_something_out_makes_no_document",
    "Allow-external-json": "flow/test_bad_provisioning.py::",
    "Stop-after-validate": f"{SWITCHES}test_stop_after_validate_changes_nothing",
    "No-create-recov": f"{SWITCHES}test_no_create_recov_keeps_what_recovery_holds",
    "No-write-files": f"{SWITCHES}test_no_write_files_takes_recovery_as_it_is",
    "No-manufacture": f"{SWITCHES}test_no_manufacture_leaves_out_stash_files_alone",
    "No-wipe-disks": f"{SWITCHES}test_no_wipe_disks_leaves_the_old_system",
    "Dmi-raw-output": f"{SWITCHES}test_dmi_raw_output_logs_every_structure",
    "No-bios-pw": f"{SWITCHES}test_switches_without_effect_are_warned_about",
    "No-ipmi-pw": f"{BMC}test_no_ipmi_pw_leaves_the_accounts_alone",
}


def keys_of(*parsers: ModuleType) -> set[str]:
    """Literal keys that functions of these modules ask JSON objects for, themselves or through their helpers, and those
    that they name first."""
    found: set[str] = set()
    for parser in parsers:
        for node in ast.walk(ast.parse(inspect.getsource(parser))):
            if isinstance(node, ast.Call) and _called(node).startswith(("_", "read_", *_READERS)):
                found.update(*map(_keys, node.args))
            elif isinstance(node, ast.Assign) and any(_is_named_key(target) for target in node.targets):
                found.update(*map(_keys, ast.walk(node.value)))
    return found


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _keys(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _KEY.fullmatch(node.value):
        return {node.value}
    return set()


def _is_named_key(target: ast.expr) -> bool:
    return "key" in [name.id for name in ast.walk(target) if isinstance(name, ast.Name)]


class Recorded(Mapping[str, str]):
    """An empty environment that keeps the names it is asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    @override
    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        raise KeyError(key)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(())

    @override
    def __len__(self) -> int:
        return 0


def test_every_key_of_manuf_data_has_an_entry() -> None:
    prefixes = {"Run", "ES"}  # of words
    assert keys_of(manuf, fileread, specread, stepread) - prefixes == set(MANUF_KEYS)


def test_every_key_of_a_platform_table_has_an_entry() -> None:
    assert keys_of(table) == set(PLATFORM_KEYS)


def test_every_kernel_argument_has_an_entry() -> None:
    environment = Recorded()
    parse_boot_arguments(environment, Branding())
    assert environment.asked == set(ARGUMENTS)


def test_every_switch_has_an_entry() -> None:
    assert {switch.value for switch in Switch} == set(SWITCH_WORDS)


@pytest.mark.parametrize("entries", [MANUF_KEYS, PLATFORM_KEYS, ARGUMENTS, SWITCH_WORDS])
def test_the_tests_that_entries_name_exist(entries: Mapping[str, str]) -> None:
    for key, entry in entries.items():
        if entry not in (WARNED, IMAGE):
            file, _, name = entry.partition("::")
            text = (_TESTS / file).read_text()
            assert f"def {name}(" in text if name else key in text or _snake(key) in text, f"{key}: {entry}"


def _snake(key: str) -> str:
    return {"DiskIsSSD": "disk_is_ssd", "mfgurl": "provision("}.get(key, key)


@pytest.mark.parametrize("key", [key for key, entry in PLATFORM_KEYS.items() if entry is WARNED])
def test_keys_of_a_platform_without_effect_are_warned_about(key: str) -> None:
    (platform,) = parsed(FULL)
    assert key in [unused.place for unused in unused_values(platform)]


@pytest.mark.parametrize("key", [key for key, entry in PLATFORM_KEYS.items() if entry is IMAGE])
def test_keys_for_programs_in_the_image_are_passed_on(key: str) -> None:
    (platform,) = parsed(FULL)
    assert platform_entry(platform)[key] == FULL[key]
