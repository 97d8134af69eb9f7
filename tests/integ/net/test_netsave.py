"""gprov-netsave under two shells, each with its tools; what it saved is read by tarfile, and by a restore's parser."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gprov.apps.host.image.tool_sets import NETSAVE
from gprov.domain.errors import DeviceMissing, RefusedByPolicy
from gprov.domain.unit.netsaved import SavedFile, parse_saved

NETWORK = b"[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n"
APPLETS = ["cat", "cmp", "cp", "mkdir", "mktemp", "mv", "readlink", "rm", "sync", "tar", "touch", "tr", "wc"]


def capable() -> bool:
    return os.geteuid() == 0 and all(shutil.which(tool) for tool in ("dash", "busybox", "systemd-analyze"))


pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not capable(), reason="needs root, dash, busybox, systemd-analyze"),
]


@dataclass
class System:
    """A running unit as the script sees it."""

    folder: Path
    shell: list[str]
    path: str
    fstab: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        return self.folder / "network"

    @property
    def recovery(self) -> Path:
        return self.folder / "mnt" / "RECOVERY"

    @property
    def archive(self) -> Path:
        return self.recovery / "log" / "netd.tar"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "fstab").write_text(self.fstab)
        environment = {
            "PATH": self.path,
            "GPROV_NETSAVE_SOURCE": str(self.source),
            "GPROV_NETSAVE_FSTAB": str(self.folder / "fstab"),
            "GPROV_NETSAVE_STATE": str(self.folder / "state"),
            "GPROV_NETSAVE_RUN": str(self.folder / "run"),
            **self.environment,
        }
        argv = [*self.shell, str(self.folder / "gprov-netsave"), *words]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert os.listdir(self.folder / "run") in ([], ["gprov-netsave.lock"]), "it leaves nothing behind"
        return done

    def save(self) -> str:
        done = self.run()
        assert done.returncode == 0, done.stderr
        return done.stderr

    def write(self, name: str, content: bytes = NETWORK, mode: int = 0o644) -> None:
        path = self.source / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)

    def saved(self) -> dict[str, SavedFile]:
        return parse_saved("netd.tar", self.archive.read_bytes())


@pytest.fixture(params=["dash and the tools of Debian", "busybox alone"])
def system(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[System]:
    busybox = shutil.which("busybox") or ""
    shell, path = ["dash"], "/usr/bin:/bin"
    if request.param == "busybox alone":
        shell, path = [busybox, "sh"], str(tmp_path / "bin")
        (tmp_path / "bin").mkdir()
        for applet in APPLETS:
            (tmp_path / "bin" / applet).symlink_to(busybox)
    made = System(tmp_path, shell, path)
    for folder in (made.source, made.recovery, tmp_path / "run"):
        folder.mkdir(parents=True)
    (tmp_path / "gprov-netsave").write_bytes(NETSAVE.files()["usr/sbin/gprov-netsave"])
    made.fstab = f"# comment\n\nLABEL=PRIMARY / ext4 relatime 0 1\nUUID=1-2 {made.recovery} ext4 auto,nofail 0 2\n"
    made.fstab += f"UUID=3-4 {made.recovery}/ESP vfat auto,nofail 0 2\n"
    with ExitStack() as stack:
        subprocess.run(["mount", "-t", "tmpfs", "none", str(made.recovery)], check=True, timeout=20)
        stack.callback(subprocess.run, ["umount", str(made.recovery)], check=True, timeout=20)
        (made.recovery / "log").mkdir()
        yield made


def test_an_unchanged_configuration_is_not_saved(system: System) -> None:
    system.write("a.network")
    assert system.save() == ""
    assert system.save() == ""
    assert not system.archive.exists()


def test_a_changed_configuration_is_saved_as_a_restore_takes_it(system: System) -> None:
    system.write("a.network")
    assert system.run("--baseline").returncode == 0
    system.write("a.network", NETWORK + b"# by hand\n")
    system.write("b.network.d/10-x.conf", b"[Network]\nDNS=10.0.0.1\n")
    system.write("wg0.netdev", b"[NetDev]\n", 0o640)
    shutil.chown(system.source / "wg0.netdev", group="adm")
    (system.source / "99-default.link").symlink_to("/dev/null")
    assert "saved as" in system.save()
    assert system.saved() == {
        "99-default.link": SavedFile(b"", 0o644, "root", mask=True),
        "wg0.netdev": SavedFile(b"[NetDev]\n", 0o640, "adm"),
        "a.network": SavedFile(NETWORK + b"# by hand\n"),
        "b.network.d/10-x.conf": SavedFile(b"[Network]\nDNS=10.0.0.1\n"),
    }
    with tarfile.open(system.archive) as tar:
        assert sorted(tar.getnames()) == ["99-default.link", "a.network", "b.network.d/10-x.conf", "wg0.netdev"]
    assert stat.S_IMODE(system.archive.stat().st_mode) == 0o600
    assert os.listdir(system.archive.parent) == ["netd.tar"]


def test_nothing_is_written_if_nothing_changed(system: System) -> None:
    system.write("a.network")
    system.run("--baseline")
    system.write("a.network", b"[Match]\n")
    system.save()
    before = system.archive.stat()
    os.utime(system.source / "a.network")
    assert system.save() == ""
    after = system.archive.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_after_a_restore_that_brought_it_back_nothing_is_written_and_changes_are(system: System) -> None:
    system.write("a.network")
    system.write(".config-preserved", b"")
    assert "saved as" in system.save()  # a new RECOVERY, say
    assert system.save() == ""
    system.write("a.network", b"[Match]\n")
    system.save()
    assert system.saved()["a.network"].content == b"[Match]\n"


def test_reverting_to_the_restored_configuration_puts_the_archive_aside(system: System) -> None:
    system.write("a.network")
    system.run("--baseline")
    system.write("b.network")
    system.save()
    (system.source / "b.network").unlink()
    assert "as the restore left it" in system.save()
    assert os.listdir(system.archive.parent) == ["netd.tar.old"]


def test_an_archive_that_a_restore_did_not_use_stays_until_something_changes(system: System) -> None:
    system.archive.write_bytes(b"damaged")
    system.write("a.network")
    system.save()
    assert system.archive.read_bytes() == b"damaged"
    system.write("b.network")
    system.save()
    assert set(system.saved()) == {"a.network", "b.network"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a b.network", NETWORK), ("$(reboot).network", NETWORK), ("a\nb.network", NETWORK), ("-rf.network", NETWORK),
        ("*.network", NETWORK), ("n" * 100 + ".network", NETWORK), ("large.network", b"x" * 65537),
        ("nul.network", b"a\0b"), ("a.network.d/.x.conf", NETWORK), ("a.network.d/x y.conf", NETWORK),
        ("other.conf", NETWORK), (".hidden.network", NETWORK),
    ],
)  # fmt: skip
def test_files_that_a_restore_refuses_are_left_out(system: System, name: str, content: bytes) -> None:
    system.write("good.network")
    system.run("--baseline")
    system.write(name, content)
    system.write("good.link", b"[Match]\n")
    system.save()
    assert set(system.saved()) == {"good.network", "good.link"}


def test_links_are_saved_as_their_targets(system: System) -> None:
    system.write("a.network")
    system.run("--baseline")
    (system.folder / "elsewhere").write_bytes(NETWORK)
    (system.source / "b.network").symlink_to(system.folder / "elsewhere")
    (system.source / "c.network").symlink_to("nowhere")
    (system.source / "d.network").mkdir()
    os.mkfifo(system.source / "e.network")
    complaints = system.save()
    assert set(system.saved()) == {"a.network", "b.network"}
    assert system.saved()["b.network"] == SavedFile(NETWORK)
    assert complaints.count("is not saved: it is no file") == 3


def test_an_empty_folder_takes_nothing_away(system: System) -> None:
    system.write("a.network")
    system.run("--baseline")
    system.write("b.network")
    system.save()
    for path in system.source.iterdir():
        path.unlink()
    assert "stays" in system.save()
    assert set(system.saved()) == {"a.network", "b.network"}


def test_a_system_without_that_folder_is_left_alone(system: System) -> None:
    system.source.rmdir()
    assert system.save() == ""


@pytest.mark.parametrize("broken", ["not in fstab", "not mounted", "no log folder", "read-only", "full"])
def test_an_unusable_recovery_is_reported_as_an_error(system: System, broken: str) -> None:
    system.write("a.network")
    system.run("--baseline")
    system.write("a.network", b"[Match]\n")
    system.save()
    before = system.archive.read_bytes()
    system.write("a.network", b"[Match]\n" + os.urandom(20000).hex().encode())
    options = {"read-only": "ro", "full": "size=24k"}.get(broken, "")
    if broken == "not in fstab":
        system.fstab = "LABEL=PRIMARY / ext4 relatime 0 1\n"
    elif broken == "not mounted":
        system.fstab = f"LABEL=RECOVERY {system.folder}/elsewhere ext4 auto 0 2\n"
    elif broken == "no log folder":
        (system.recovery / "log").rename(system.recovery / "log2")
    else:
        subprocess.run(["mount", "-o", f"remount,{options}", str(system.recovery)], check=True, timeout=20)
    done = system.run()
    assert done.returncode == 1
    assert done.stderr.strip()
    kept = system.recovery / ("log2" if broken == "no log folder" else "log") / "netd.tar"
    assert kept.read_bytes() == before
    assert os.listdir(kept.parent) == ["netd.tar"]


def test_another_label(system: System) -> None:
    system.write("a.network")
    system.run("--baseline")
    system.write("b.network")
    system.fstab = f"LABEL=RESCUE {system.recovery} ext4 auto 0 2\n"
    system.environment = {"GPROV_NETSAVE_LABEL": "RESCUE"}
    system.save()
    assert set(system.saved()) == {"a.network", "b.network"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root file system as Debian has it, /sbin and /lib being links."""
    for folder in ("usr/sbin", "usr/lib/systemd/system", "etc/systemd/system"):
        (tmp_path / "root" / folder).mkdir(parents=True)
    return tmp_path / "root"


def test_it_is_put_into_a_root_file_system_and_enabled(root: Path) -> None:
    paths = NETSAVE.install(str(root))
    assert NETSAVE.install(str(root)) == paths  # and again, over what is there
    assert os.access(root / "usr/sbin/gprov-netsave", os.X_OK)
    wanted = {path.name: os.readlink(path) for path in root.glob("usr/lib/systemd/system/*.wants/*")}
    assert set(wanted) == {"gprov-netsave-baseline.service", "gprov-netsave.path", "gprov-netsave.timer"}
    assert all((root / "usr/lib/systemd/system" / name).is_file() for name in wanted)
    assert wanted == {name: f"../{name}" for name in wanted}
    assert all((root / path).exists() or (root / path).is_symlink() for path in paths)


def test_systemd_finds_nothing_wrong_with_the_units(root: Path) -> None:
    # Units of the host stand for those of the image that ours refer to.
    units = root / "usr/lib/systemd/system"
    shutil.copytree("/usr/lib/systemd/system", units, symlinks=True, dirs_exist_ok=True)
    NETSAVE.install(str(root))
    ours = sorted(path.name for path in units.glob("gprov-*"))
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/bin").mkdir()
    shutil.copy("/bin/true", root / "usr/bin/true")
    argv = ["systemd-analyze", f"--root={root}", "--man=no", "verify", *ours]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in done.stderr.splitlines() if "gprov" in line] == []


def test_a_folder_without_a_root_file_system_is_refused(tmp_path: Path, root: Path) -> None:
    with pytest.raises(DeviceMissing):
        NETSAVE.install(str(tmp_path))
    (root / "usr/sbin").rmdir()
    (root / "usr/sbin").symlink_to("/usr/sbin")
    with pytest.raises(RefusedByPolicy):
        NETSAVE.install(str(root))
    assert not Path("/usr/sbin/gprov-netsave").exists()


def test_nothing_is_saved_where_a_link_leads(system: System) -> None:
    outside = system.folder / "outside"
    outside.mkdir()
    assert system.run("--baseline").returncode == 0
    system.write("changed.network")
    temporary = Path(f"{system.archive}.new")
    temporary.symlink_to(outside / "file")
    system.save()
    assert list(system.saved()) == ["changed.network"]
    shutil.rmtree(system.archive.parent)
    system.archive.parent.symlink_to(outside)
    done = system.run()
    assert (done.returncode, "log is a link" in done.stderr) == (1, True)
    assert os.listdir(outside) == []


def test_the_owner_of_the_log_folder_cannot_lead_it_elsewhere(system: System) -> None:
    """Admin, to whom the folder may belong, plants links in it, and again whenever the tool calls a program."""
    outside = system.folder / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"root's")
    log = system.archive.parent
    evil = system.folder / "evil"
    evil.mkdir()
    for name in ("cp", "mv", "sync"):
        plant = f"ln -sfn {outside}/file {log}/netd.tar.new; ln -sfn {outside} {log}/netd.tar.old"
        command = system.path.split(":")[0] + f"/{name}"
        (evil / name).write_text(f'#!/bin/sh\nPATH=/usr/bin\n{plant}\nexec {command} "$@"\n')
        (evil / name).chmod(0o755)
    system.path = f"{evil}:{system.path}"
    assert system.run("--baseline").returncode == 0
    system.write("b.network")
    system.archive.symlink_to(outside)
    if not (temporary := Path(f"{system.archive}.new")).is_symlink():
        temporary.symlink_to(outside / "file")
    system.save()
    assert set(system.saved()) == {"b.network"}
    (log / "netd.tar.old").unlink(missing_ok=True)
    (log / "netd.tar.old").symlink_to(outside)
    (system.source / "b.network").unlink()
    assert "as the restore left it" in system.save()
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (outside / "file").read_bytes() == b"root's"


def test_a_recovery_that_is_another_users_is_refused(system: System) -> None:
    system.run("--baseline")
    system.write("b.network")
    os.chown(system.recovery, 1000, 1000)
    done = system.run()
    assert (done.returncode, "does not belong to root" in done.stderr) == (1, True)
    assert os.listdir(system.archive.parent) == []


def test_a_pipe_in_place_of_the_archive_is_replaced(system: System) -> None:
    system.run("--baseline")
    system.write("b.network")
    os.mkfifo(system.archive)
    system.save()
    assert set(system.saved()) == {"b.network"}
