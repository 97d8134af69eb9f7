"""The Linux adapters of the ports of firmware and machine. The functions import them when they are made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.boot.args import BootArguments
    from gprov.ports.code_signatures import CodeSignatures
    from gprov.ports.config_tool import ConfigTools
    from gprov.ports.destructive.tpm import Tpm
    from gprov.ports.destructive.variable_writer import VariableWriter
    from gprov.ports.firmware import Firmware, SmbiosTable
    from gprov.ports.hardware import HardwareInventory
    from gprov.ports.process import Processes


def variable_writer() -> VariableWriter:
    from gprov.adapters.linux.firmware.efivars import EfivarsFirmware

    return EfivarsFirmware()


def code_signatures() -> CodeSignatures:
    from gprov.adapters.linux.system.authenticode import OpensslCodeSignatures

    return OpensslCodeSignatures()


def firmware() -> Firmware:
    from gprov.adapters.linux.firmware.efivars import EfivarsFirmware

    return EfivarsFirmware()


TPM_DEVICE = "/sys/class/tpm/tpm0"


def has_tpm() -> bool:
    """Every boot asks: without the adapter."""
    return os.path.isdir(TPM_DEVICE)


def tpm() -> Tpm:
    from gprov.adapters.linux.firmware.tpm import LinuxTpm

    return LinuxTpm(TPM_DEVICE)


def smbios() -> SmbiosTable:
    from gprov.adapters.linux.dmi.smbios import LinuxSmbios

    return LinuxSmbios()


def inventory() -> HardwareInventory:
    from gprov.adapters.linux.dmi.inventory import LinuxInventory

    return LinuxInventory()


def config_tools(*, processes: Processes, arguments: BootArguments) -> ConfigTools:
    from gprov.adapters.linux.firmware.config_tools import ProgramConfigTools
    from gprov.domain.mfg.stepenv import kernel_variables

    return ProgramConfigTools(processes, kernel_variables(arguments.environment))
