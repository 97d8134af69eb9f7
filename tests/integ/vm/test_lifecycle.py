"""A unit after provisioning, first restore and normal boot, as tools that are not ours see it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from virt.firmware.efi.bootentry import BootEntry
from virt.firmware.efi.efivar import EfiVar
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import raw_view
from tests.integ.vm.stored_passwords import stored_passwords

pytestmark = pytest.mark.vm

MIB = 1 << 20
GIB = 1 << 30
ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
LINUX_TYPE = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


def tool(*argv: str, stdin: str = "") -> str:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{argv}: {done.returncode} {done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Table:
    """What sfdisk says of a disk; starts and sizes in bytes."""

    label: str
    kinds: list[str]
    starts: list[int]
    sizes: list[int]


def table(view: str) -> Table:
    found = json.loads(tool("sfdisk", "--json", view))["partitiontable"]
    parts = found["partitions"]
    return Table(
        found["label"],
        [part["type"] for part in parts],
        [part["start"] * 512 for part in parts],
        [part["size"] * 512 for part in parts],
    )


@dataclass(frozen=True)
class Ext:
    """An ext volume, read by e2fsprogs."""

    view: str
    offset: int

    @property
    def device(self) -> str:
        return f"{self.view}?offset={self.offset}"

    def facts(self) -> dict[str, str]:
        lines = tool("debugfs", "-R", "show_super_stats -h", self.device).splitlines()
        return dict(re.split(r":\s*", line, maxsplit=1) for line in lines if ":" in line)

    def read(self, path: str) -> str:
        return tool("debugfs", "-R", f"cat {path}", self.device)

    def names(self, folder: str) -> list[str]:
        return [
            line.split("/")[5] for line in tool("debugfs", "-R", f"ls -p {folder}", self.device).splitlines() if line
        ]

    def mode(self, path: str) -> str:
        found = re.search(r"Mode:\s+(\d+)", tool("debugfs", "-R", f"stat {path}", self.device))
        assert found, f"{path} is not there"
        return found[1]

    def check(self) -> None:
        # On a copy of nothing but this partition: e2fsck takes no offset.
        tool("e2fsck", "-fn", self.device)


@pytest.fixture(scope="module")
def primary(prepared: VirtualUnit) -> Iterator[str]:
    with raw_view(SystemProcesses(), prepared.primary()) as view:
        yield view


@pytest.fixture(scope="module")
def recovery(prepared: VirtualUnit) -> Iterator[str]:
    with raw_view(SystemProcesses(), prepared.recovery) as view:
        yield view


@pytest.fixture(scope="module")
def root(primary: str) -> Ext:
    return Ext(primary, table(primary).starts[0])


@pytest.fixture(scope="module")
def stick(recovery: str) -> Ext:
    return Ext(recovery, table(recovery).starts[-1])


@pytest.fixture(scope="module")
def report(prepared: VirtualUnit) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(prepared.path("report.json")).read_text())
    return found


def test_every_stage_passed_and_was_measured(report: dict[str, Any]) -> None:
    assert report["verdict"] == "passed"
    assert [stage["name"] for stage in report["stages"]] == ["provision", "restore", "boot"]
    for stage in report["stages"]:
        assert (stage["verdict"], stage["reason"]) == ("passed", "")
        assert 0 < stage["init_uptime"] < stage["seconds"]
    boot = report["stages"][-1]
    assert boot["init_uptime"] < boot["handover_uptime"] < boot["system"]["uptime"] < boot["seconds"]


def test_the_system_is_up_without_a_failed_unit(report: dict[str, Any]) -> None:
    system = report["stages"][-1]["system"]
    assert (system["verdict"], system["failed"]) == ("multi-user", "")
    assert (system["root"], system["recovery"], system["online"]) == ("PRIMARY", True, True)
    assert system["hostname"] == "gp-lab0001"


def test_files_in_the_work_folder(prepared: VirtualUnit) -> None:
    names = {"primary0.qcow2", "recovery.qcow2", "efivars.fd", "report.json"}
    logs = {"serial-provision.log", "serial-restore.log", "serial-boot.log"}
    assert names | logs <= set(os.listdir(prepared.folder))


def test_recovery_has_the_esp_first_and_itself_last(recovery: str) -> None:
    found = table(recovery)
    assert (found.label, found.kinds) == ("gpt", [ESP_TYPE, LINUX_TYPE])
    assert found.sizes[0] == 200 * MIB
    assert found.starts[1] + found.sizes[1] > 4 * GIB - 2 * MIB


def test_primary_is_one_partition(primary: str) -> None:
    found = table(primary)
    assert (found.label, found.kinds) == ("gpt", [LINUX_TYPE])
    assert found.starts[0] + found.sizes[0] > 20 * GIB - 2 * MIB


def test_the_file_systems_are_made_as_specified_and_clean(root: Ext, stick: Ext) -> None:
    facts = root.facts()
    assert facts["Filesystem volume name"] == "PRIMARY"
    assert {"encrypt", "has_journal", "extent"} <= set(facts["Filesystem features"].split())
    assert "needs_recovery" not in facts["Filesystem features"]
    assert int(facts["Reserved block count"]) == pytest.approx(int(facts["Block count"]) / 100, rel=0.01)
    assert stick.facts()["Filesystem volume name"] == "RECOVERY"
    root.check()
    stick.check()


def test_the_identity_of_the_unit_on_its_root(root: Ext) -> None:
    assert root.read("/etc/hostname") == "gp-lab0001\n"
    assert "gp-lab0001" in root.read("/etc/hosts")
    identity = hashlib.sha1(b"LAB0001LAB0001", usedforsecurity=False).hexdigest()[:32]
    assert root.read("/etc/machine-id") == f"{identity}\n"
    assert root.read("/etc/provisioning/serial") == "LAB0001"
    facts = json.loads(root.read("/etc/provisioning/platform_facts.json"))
    assert (facts["DevCodeName"], facts["Serial"], facts["Mfg"]) == ("QEMU-mfg-test", "LAB0001", "GPROV_QEMU")


def test_the_root_has_flag_file_and_disktag(root: Ext, products: Products) -> None:
    names = root.names("/")
    assert "boot.normal" in names
    assert products.image_name.removesuffix(".upd") + ".disktag" in names


def test_fstab(root: Ext) -> None:
    entries = [line.split() for line in root.read("/etc/fstab").splitlines() if line and not line.startswith("#")]
    targets = [entry[1] for entry in entries]
    assert targets[:2] == ["/", "/mnt/RECOVERY"]
    assert (entries[0][2], entries[0][5]) == ("ext4", "1")
    assert {"noexec", "relatime", "nofail"} <= set(entries[1][3].split(","))
    assert entries[1][5] == "2"
    assert any(target.startswith("/mnt/RECOVERY/") for target in targets)


def test_admin_can_log_in_with_the_password_of_this_unit_only(root: Ext, prepared: VirtualUnit) -> None:
    credentials = stored_passwords(prepared)
    hashed = re.search(r"^admin:([^:]*):", root.read("/etc/shadow"), re.MULTILINE)
    assert hashed
    assert crypted(credentials.os.reveal(), hashed[1]) == hashed[1]
    assert crypted("admin", hashed[1]) != hashed[1]
    assert root.mode("/etc/shadow") in ("0640", "0600", "0000")


def crypted(password: str, setting: str) -> str:
    """By perl's crypt(3), through standard input."""
    program = "chomp(my $p = <STDIN>); chomp(my $s = <STDIN>); print crypt($p, $s)"
    return tool("perl", "-e", program, stdin=f"{password}\n{setting}\n")


def test_files_on_recovery(stick: Ext, products: Products) -> None:
    assert stick.names("/Image") == [".", "..", products.image_name]
    history = json.loads(stick.read("/log/recovery_history.json"))
    (result,) = history["ImageResults"]
    assert result["Image"] == products.image_name.removesuffix(".upd")
    assert (result["ImagingAttempts"], result["ImagingFailures"]) == (1, 0)
    logs = [name for name in stick.names("/log") if name.endswith(".log")]
    assert {re.sub(r"[0-9].*", "", name) for name in logs} == {"provision", "recov"}


def test_options_are_gone_after_the_first_restore(stick: Ext) -> None:
    assert "fr.data" not in stick.names("/")


def test_the_esp_holds_the_kernel(recovery: str, products: Products, tmp_path: Path) -> None:
    image = f"{recovery}@@{table(recovery).starts[0]}"
    assert "ESP" in tool("mlabel", "-s", "-i", image)
    tool("mcopy", "-i", image, "::/norm_boot", str(tmp_path / "norm_boot"))
    assert (tmp_path / "norm_boot").read_bytes() == Path(products.normal_kernel).read_bytes()


def test_the_esp_is_clean(recovery: str, tmp_path: Path) -> None:
    found = table(recovery)
    copy = tmp_path / "esp"
    with open(recovery, "rb") as source:
        source.seek(found.starts[0])
        copy.write_bytes(source.read(found.sizes[0]))
    tool("fsck.fat", "-n", str(copy))


def boot_variables(unit: VirtualUnit) -> dict[str, EfiVar]:
    return dict(Edk2VarStore(unit.variables).get_varlist().items())


def test_boot_entries(prepared: VirtualUnit) -> None:
    variables = boot_variables(prepared)
    entries = {
        int(name[4:], 16): BootEntry(data=variable.data)
        for name, variable in variables.items()
        if re.fullmatch(r"Boot[0-9A-F]{4}", name)
    }
    ours = {str(entry.title): number for number, entry in entries.items() if r"\norm_boot" in str(entry.devicepath)}
    assert set(ours) == {"Normal Boot", "Forced Factory Restore", "Data Erase (DANGER!)"}
    data = variables["BootOrder"].data
    order = [int.from_bytes(data[index : index + 2], "little") for index in range(0, len(data), 2)]
    assert order[0] == ours["Normal Boot"]
    assert not {ours["Forced Factory Restore"], ours["Data Erase (DANGER!)"]} & set(order)
    arguments = {title: entries[number].optdata.decode("utf-16-le").rstrip("\0") for title, number in ours.items()}
    assert arguments["Normal Boot"].startswith("quiet real_root=LABEL=PRIMARY ")
    assert "panic=5 oops=panic no_timer_check" in arguments["Normal Boot"]
    assert "real_root" not in arguments["Forced Factory Restore"]
    assert "DATA_ERASE=1" in arguments["Data Erase (DANGER!)"].split()


def test_the_factory_server_released_the_qa_document_after_success(prepared: VirtualUnit) -> None:
    documents = Path(prepared.path("server"), "documents")
    files = [path for path in documents.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["LAB0001~LAB0001_qav.htm"]
    texts = [path.read_text() for path in files]
    assert len(texts) == 1
    assert "LAB0001" in texts[0]
    assert "56:78:90:00:00:01" in texts[0]


@pytest.fixture(scope="module")
def secrets(prepared: VirtualUnit) -> list[bytes]:
    credentials = stored_passwords(prepared)
    found = [each.reveal().encode() for each in (credentials.os, credentials.bios, credentials.ipmi)]
    assert all(len(secret) >= 8 for secret in found)
    return found


def test_no_log_and_no_report_shows_a_secret(prepared: VirtualUnit, secrets: list[bytes]) -> None:
    kept = [path for path in Path(prepared.folder).rglob("*") if path.is_file()]
    public = [path for path in kept if path.suffix in (".log", ".json", ".htm")]
    assert len(public) >= 6
    for path in public:
        assert not [secret for secret in secrets if secret in path.read_bytes()], path


def test_no_process_of_the_host_was_given_a_secret(prepared: VirtualUnit, secrets: list[bytes]) -> None:
    seen = json.loads(Path(prepared.path("host-processes.json")).read_text())
    assert any("qemu-system-x86_64" in line for line in seen["argv"])
    assert not [line for line in seen["argv"] if any(secret.decode() in line for secret in secrets)]
    assert seen["environments"] > 1
    assert seen["environments_with_a_secret"] == 0


def test_no_file_of_the_host_contains_a_secret(prepared: VirtualUnit, secrets: list[bytes]) -> None:
    assert stat.S_IMODE(os.stat(prepared.folder).st_mode) == 0o700
    kept = [path for path in Path(prepared.folder).rglob("*") if path.is_file()]
    assert "factory.sqlite" in [path.name for path in kept]
    assert not [path for path in kept if any(secret in path.read_bytes() for secret in secrets)]


def test_no_disk_of_the_unit_holds_a_secret(primary: str, recovery: str, secrets: list[bytes], tmp_path: Path) -> None:
    for view in (primary, recovery):
        sparse = tmp_path / "disk"
        tool("qemu-img", "convert", "-f", "raw", "-O", "raw", view, str(sparse))
        for offset, piece in data_of(sparse):
            assert not [secret for secret in secrets if secret in piece], f"{view} near {offset}"
        sparse.unlink()


def data_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """The parts of a sparse file that are not holes, in overlapping pieces."""
    size, piece, overlap = path.stat().st_size, 16 * MIB, 4096
    with open(path, "rb") as file:
        position = 0
        while position < size:
            try:
                position = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                return
            end = os.lseek(file.fileno(), position, os.SEEK_HOLE)
            while position < end:
                yield position, os.pread(file.fileno(), min(piece + overlap, end - position), position)
                position += piece
            position = max(position, end)
