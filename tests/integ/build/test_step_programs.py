"""What steps and stash scripts of a factory find in the provisioning initramfs, by entering it unpacked."""

from __future__ import annotations

import json
import lzma
import os
import sys
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.program32 import SAID, program_32
from gprov.apps.host.lab.stepfiles import PAYLOAD, SCRIPT, STASH, step_files
from gprov.apps.mfg.step_archive import list_argv, unpack_step_argv
from gprov.domain.formats.xz_list import listed_size
from gprov.domain.mfg.command import parse_command
from gprov.domain.mfg.stepenv import SHEBANG_BYTES, script_argv
from gprov.domain.mfg.steps import Command, StepValues, expand
from gprov.ports.process import SEARCH_PATH, Completed

PROCESSES = SystemProcesses()
CHECKOUT = Path(__file__).parents[3]
FOLDER = "/run/gprov/AfterImaging-0"
SYSTEM = ("usr/bin", "usr/sbin")
# They end their help with another status than 0.
HELP_FAILS = ("ipmiutil", "chattr")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")


def unpacked(flavor: Flavor, folder: Path) -> Path:
    output = folder.with_suffix(".cpio.zst")
    command = ("build", "initramfs", "--flavor", flavor, "--output", str(output))
    PROCESSES.run(
        (sys.executable, "-m", "gprov.apps.host.cli.main", *command),
        cwd=str(CHECKOUT),
        env={"HOME": os.path.expanduser("~"), "PYTHONPATH": str(CHECKOUT)},
    )
    raw = PROCESSES.run(("zstd", "-d", "-c"), stdin=output.read_bytes()).output
    PROCESSES.run(("cpio", "--extract", "--quiet"), stdin=raw, cwd=str(folder))
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provisioning initramfs with the folder of a step and its files in it."""
    folder = unpacked(Flavor.MFG, tmp_path_factory.mktemp("root-mfg"))
    downloads = Path(f"{folder}{FOLDER}")
    downloads.mkdir(parents=True)
    for name, content in step_files().items():
        (downloads / name).write_bytes(content)
    return folder


def inside(root: Path, *command: str, check: bool = True) -> Completed:
    return PROCESSES.run(("chroot", str(root), *command), env={"PATH": SEARCH_PATH}, check=check)


def on_this_machine(root: Path, *command: str) -> Completed:
    """With the kernel's file systems in the initramfs, as on a unit."""
    mounts = " && ".join(f"mount --rbind /{name} {root}/{name}" for name in ("proc", "sys", "dev"))
    script = f'{mounts} && exec chroot {root} "$@"'
    argv = ("unshare", "--mount", "sh", "-c", script, "sh", *command)
    return PROCESSES.run(argv, env={"PATH": f"{SEARCH_PATH}:{os.environ['PATH']}"}, check=False)


def run_step(root: Path, text: str) -> str:
    """Run a command of a step as a unit does."""
    command = Command(text=text, words=parse_command(text).words)
    return inside(root, *expand(command, StepValues(FOLDER, "GP1"))).output.decode()


def test_commands_of_the_sample_step_run(root: Path) -> None:
    assert not (root / FOLDER.lstrip("/") / SCRIPT).stat().st_mode & 0o111
    run_step(root, f"chmod +x {{{{.DLDir}}}}/{SCRIPT}")
    listed = run_step(root, "ls -l {{.DLDir}}").splitlines()
    assert [line.split()[0] for line in listed if line.endswith(SCRIPT)] == ["-rwxr-xr-x"]
    assert run_step(root, "echo unit {{.Serial}} done") == "unit GP1 done\n"


def test_a_stash_archive_is_unpacked_with_xz_and_its_script_runs(root: Path) -> None:
    target = "/tmp/stash"
    (root / "tmp/stash").mkdir()
    (root / "tmp/recovery/lab-steps").mkdir(parents=True)
    listed = inside(root, *list_argv(f"{FOLDER}/{STASH}"))
    assert listed_size(listed.output) == len(lzma.decompress((root / FOLDER.lstrip("/") / STASH).read_bytes()))
    inside(root, *unpack_step_argv(f"{FOLDER}/{STASH}", target))
    script = root / "tmp/stash/install.sh"
    argv = script_argv(f"{target}/install.sh", script.read_bytes()[:SHEBANG_BYTES])
    environment = ("RECOVERY=/tmp/recovery", "SERIAL=GP1", "LAB_STATION=bench-7")
    inside(root, "sh", "-c", f'cd {target}; exec env "$@"', "sh", *environment, *argv)
    assert (root / "tmp/recovery/lab-steps/stash.txt").read_bytes() == PAYLOAD + b"GP1 bench-7\n"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (("dmidecode", "--version"), "3."),
        (("hdparm", "-V"), "hdparm"),
        (("lspci", "--version"), "lspci"),
        (("lsusb", "--version"), "lsusb"),
        (("efibootmgr", "--version"), "version"),
        (("ipmitool", "-V"), "ipmitool"),
        (("nvme", "version"), "nvme"),
        (("xz", "--version"), "xz"),
        (("tar", "--version"), "GNU tar"),
        (("env", "echo", "applet"), "applet"),
        (("mdadm", "--version"), "mdadm"),
        (("sgdisk", "--version"), "GPT fdisk"),
        (("sdparm", "--version"), "version: 1."),
        (("ipmiutil", "cmd", "-?"), "ipmiutil"),
        (("setpci", "--version"), "setpci"),
        (("lsblk", "--version"), "util-linux"),
        (("chattr", "-V"), "chattr"),
        (("blkid", "--version"), "util-linux"),
        (("wipefs", "--version"), "util-linux"),
    ],
)
def test_programs_start(root: Path, command: tuple[str, ...], shown: str) -> None:
    done = inside(root, *command, check=command[0] not in HELP_FAILS)
    assert shown in (done.output + done.errors).decode()


def test_a_partition_table_is_made_and_read(root: Path) -> None:
    (root / "tmp/disk").write_bytes(bytes(8 << 20))
    inside(root, "sgdisk", "--new=1:2048:+2M", "--change-name=1:vendor", "/tmp/disk")
    assert "vendor" in inside(root, "sgdisk", "--print", "/tmp/disk").output.decode()
    # An independent reader, of the host.
    assert 'name="vendor"' in PROCESSES.run(("sfdisk", "--dump", str(root / "tmp/disk"))).output.decode()
    (root / "tmp/disk").unlink()


def test_lspci_shows_names_of_vendors_and_products(root: Path) -> None:
    """It reads a dump of configuration space in place of the machine's devices (lspci(8), option -F)."""
    header = ["86", "80", "d3", "10", "00", "00", "10", "00", "00", "00", "00", "02"]
    rows = [header + ["00"] * 4, *([["00"] * 16] * 3)]
    dump = "\n".join(["00:02.0 a card", *(f"{16 * at:02x}: {' '.join(row)}" for at, row in enumerate(rows))])
    (root / "tmp/pci").write_text(f"{dump}\n")
    shown = inside(root, "lspci", "-F", "/tmp/pci").output.decode()
    assert shown.startswith("00:02.0 Ethernet controller: Intel Corporation 82574L")


def test_lsusb_has_names_of_vendors_and_products(root: Path) -> None:
    """As lsusb asks for them: libudev's hwdb, by the modalias of device 1d6b:0002."""
    code = """
import ctypes
udev = ctypes.CDLL("libudev.so.1")
for name in ("udev_new", "udev_hwdb_new", "udev_hwdb_get_properties_list_entry", "udev_list_entry_get_next",
             "udev_list_entry_get_name", "udev_list_entry_get_value"):
    getattr(udev, name).restype = ctypes.c_char_p if name[-4:] in ("name", "alue") else ctypes.c_void_p
hwdb = ctypes.c_void_p(udev.udev_hwdb_new(ctypes.c_void_p(udev.udev_new())))
entry = udev.udev_hwdb_get_properties_list_entry(hwdb, b"usb:v1D6Bp0002*", 0)
while entry:
    entry = ctypes.c_void_p(entry)
    print(udev.udev_list_entry_get_name(entry).decode(), udev.udev_list_entry_get_value(entry).decode())
    entry = udev.udev_list_entry_get_next(entry)
"""
    shown = inside(root, "/usr/bin/python3.11", "-ISB", "-c", code).output.decode().splitlines()
    assert "ID_VENDOR_FROM_DATABASE Linux Foundation" in shown
    assert "ID_MODEL_FROM_DATABASE 2.0 root hub" in shown


@pytest.mark.parametrize("first_line", ["#!/bin/sh -e", "#!/usr/bin/env sh", "# no shebang"])
def test_scripts_run_by_their_first_line(root: Path, first_line: str) -> None:
    (root / "tmp/x.sh").write_text(f"{first_line}\necho done\n")
    argv = script_argv("/tmp/x.sh", (root / "tmp/x.sh").read_bytes()[:SHEBANG_BYTES])
    assert inside(root, *argv).output == b"done\n"


def test_a_static_32_bit_program_runs(root: Path) -> None:
    """On the host's kernel; a unit's runs it in tests/integ/vm/test_steps.py."""
    (root / "tmp/program32").write_bytes(program_32())
    (root / "tmp/program32").chmod(0o755)
    assert inside(root, "/tmp/program32").output == SAID


def test_every_applet_is_a_command_and_shadows_no_program(root: Path) -> None:
    listed = inside(root, "busybox", "--list").output.decode().split()
    assert len(listed) > 200
    for name in listed:
        assert any(os.path.lexists(root / folder / name) for folder in SYSTEM), name
    for name in ("tar", "xz", "mdadm", "lspci", "lsusb", "tune2fs"):
        found = [root / folder / name for folder in SYSTEM if os.path.lexists(root / folder / name)]
        assert [path.is_symlink() for path in found] == [False], name
    # The kernel runs /sbin/init if /init cannot be started: the script that reboots, and no init of busybox.
    assert b"rebooting" in (root / "usr/sbin/init").read_bytes()


def test_programs_find_certificates(root: Path) -> None:
    for path in ("/etc/ssl/certs/ca-certificates.crt", "/usr/lib/ssl/cert.pem"):
        assert int(inside(root, "grep", "-c", "BEGIN CERTIFICATE", path).output) > 50
    code = "import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 50)"
    assert inside(root, "/usr/bin/python3.11", "-ISB", "-c", code).output == b"True\n"


def test_units_in_the_field_have_none_of_these(tmp_path: Path) -> None:
    folder = tmp_path / "root-normal"
    folder.mkdir()
    unpacked(Flavor.NORMAL, folder)
    for name in ("chmod", "ls", "xz", "dmidecode", "gprov-hardware", "hdparm", "ipmitool", "lspci", "nvme"):
        assert not any(os.path.lexists(folder / place / name) for place in SYSTEM), name


def test_the_hardware_of_the_machine_as_a_specification_and_against_one(root: Path) -> None:
    """What is dumped inside fits the machine; on a machine with one disk only, RECOVERY cannot be told from it."""
    dumped = on_this_machine(root, "gprov-hardware", "dump", "--code-name", "HERE")
    assert dumped.status == 0, dumped.errors
    entry = json.loads(dumped.output)
    assert entry["CPUInfo"]["Cores"] == os.cpu_count()
    assert entry["DevCodeName"] == "HERE"
    if "Recovery" not in entry:
        entry |= {"Recovery": {"Size": 1 << 60}}
    Path(f"{root}/run/manufData.json").write_text(json.dumps({"ValidationData": [entry]}))
    compared = on_this_machine(
        root, "gprov-hardware", "compare", "--manuf", "/run/manufData.json", "--code-name", "HERE"
    )
    places = [line for line in compared.output.decode().splitlines() if not line.startswith(" ")]
    assert places == ([] if "_Recovery" not in entry else ["Recovery"]), compared.errors
    assert compared.status == len(places)
    assert on_this_machine(root, "gprov-hardware", "compare").status == 2
