"""The Linux adapter of the sensors, on folders like those of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.adapters.linux.burnin.sensors import LinuxSensors
from gprov.domain.errors import DeviceFault
from gprov.domain.mfg.burnin.readings import MemoryErrors, Temperature


def put(root: Path, files: dict[str, str]) -> LinuxSensors:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return LinuxSensors(str(root))


def test_temperatures_of_hwmon(tmp_path: Path) -> None:
    chip, twin = "sys/class/hwmon/hwmon2", "sys/class/hwmon/hwmon10"
    sensors = put(
        tmp_path,
        {
            f"{chip}/name": "coretemp\n",
            f"{chip}/temp1_input": "45000\n",
            f"{chip}/temp1_label": "Package id 0\n",
            f"{chip}/temp2_input": "-128000\n",
            f"{chip}/temp3_input": "no data\n",
            f"{chip}/temp1_max": "100000\n",
            f"{twin}/name": "nvme\n",
            f"{twin}/temp1_input": "38850\n",
            "sys/class/hwmon/hwmon11/name": "nvme\n",
            "sys/class/hwmon/hwmon11/temp1_input": "39850\n",
            "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
            "sys/class/thermal/thermal_zone0/temp": "45000\n",
        },
    )
    assert sensors.temperatures() == (
        Temperature("coretemp Package id 0", 45.0),
        Temperature("nvme 1", 38.85),
        Temperature("nvme 2", 39.85),
    )


def test_thermal_zones_where_hwmon_has_nothing(tmp_path: Path) -> None:
    sensors = put(
        tmp_path,
        {"sys/class/thermal/thermal_zone0/type": "acpitz\n", "sys/class/thermal/thermal_zone0/temp": "27800\n"},
    )
    assert sensors.temperatures() == (Temperature("acpitz", 27.8),)


def test_memory_errors_of_all_controllers(tmp_path: Path) -> None:
    folder = "sys/devices/system/edac/mc"
    sensors = put(
        tmp_path,
        {
            f"{folder}/mc0/ce_count": "3\n",
            f"{folder}/mc0/ue_count": "0\n",
            f"{folder}/mc1/ce_count": "4\n",
            f"{folder}/mc1/ue_count": "1\n",
            f"{folder}/power/control": "auto\n",
        },
    )
    assert sensors.memory_errors() == MemoryErrors(7, 1)


def test_a_machine_without_sensors(tmp_path: Path) -> None:
    sensors = put(tmp_path, {"dev/kmsg": "", "proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2048 kB\n"})
    assert sensors.temperatures() == ()
    assert sensors.memory_errors() is None
    assert sensors.hardware_errors() == ()
    assert sensors.available_memory() == 2 << 20


def test_only_the_kernels_own_lines_about_hardware_errors_count(tmp_path: Path) -> None:
    lines = (
        "6,1,1500000,-;Linux version 6.1",
        "0,2,2500000,-;mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 4: be00000000800400",
        "2,3,2500001,-;[Hardware Error]: Corrected error, no action required.",
        " SUBSYSTEM=pci",
        "30,4,2600000,-;gprov: burn-in: [Hardware Error] is the text of a test",
        "garbage",
        ";[Hardware Error]",
        "x,5,1,-;[Hardware Error]",
    )
    sensors = put(tmp_path, {"dev/kmsg": "\n".join(lines) + "\n"})
    assert sensors.hardware_errors() == (
        "[2.500000] mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 4: be00000000800400",
        "[2.500001] [Hardware Error]: Corrected error, no action required.",
    )


def test_an_unreadable_kernel_log_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DeviceFault, match="kernel log"):
        LinuxSensors(str(tmp_path)).hardware_errors()
    with pytest.raises(DeviceFault, match="MemAvailable"):
        LinuxSensors(str(tmp_path)).available_memory()
