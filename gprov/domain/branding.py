"""Branding: all names that an adopter may change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Branding:
    """Names of files, labels and accounts. The defaults are the names on existing units."""

    image_prefix: str = "WIDGET.LNX.SHINY."
    recovery_label: str = "RECOVERY"
    primary_label: str = "PRIMARY"
    esp_label: str = "ESP"
    boot_label: str = "BOOT"
    flag_file: str = "boot.normal"
    boot_kernel: str = "norm_boot"
    provision_kernel: str = "provision.pxe"
    config_folder: str = "/etc/provisioning"
    environment_prefix: str = "PROVISION_"
    hostname_prefix: str = "gp-"
    mac_prefix: str = "56:78:90"
    emergency_prefix: str = "EmergencyFile_"
    log_folder: str = "log"
    real_init: str = "/usr/lib/systemd/systemd"
    admin: str = "admin"
    bmc_user: str = "admin"
    normal_entry: str = "Normal Boot"
    restore_entry: str = "Forced Factory Restore"
    erase_entry: str = "Data Erase (DANGER!)"
