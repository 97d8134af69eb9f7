"""The tools as a tar archive and as a Debian package, read by tar and dpkg."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gprov import __version__
from gprov.apps.host.cli.main import main
from gprov.apps.host.image.tool_sets import ALL_TOOLS, TOOLS_AND_UPDATE
from gprov.domain.branding import Branding
from gprov.domain.formats.debian_version import debian_version

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("dpkg", "tar", "systemd-analyze")),
    reason="needs root, dpkg, tar, systemd-analyze",
)
SUFFIXES = (".tar.xz", ".deb")


def run(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout


def package(folder: Path, suffix: str, *options: str) -> Path:
    path = folder / f"tools{suffix}"
    assert main(["image", "tools", "--output", str(path), *options]) == 0
    return path


def unpacked(package: Path, root: Path) -> None:
    """As a person does it."""
    root.mkdir()
    if package.name.endswith(".deb"):
        (root / "var/lib/dpkg/updates").mkdir(parents=True)
        for name in ("status", "available"):
            (root / "var/lib/dpkg" / name).touch()
        (root / "var/lib/dpkg/info").mkdir()
        run("dpkg", f"--root={root}", "--force-depends", "--install", str(package))
    else:
        run("tar", "-xJf", str(package), "-C", str(root))


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Modes and contents, or targets of links, of all files but those of dpkg."""
    found = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = (0, os.readlink(path).encode())
        elif path.is_file() and not name.startswith(("var/", "usr/share/doc")):
            found[name] = (path.stat().st_mode & 0o7777, path.read_bytes())
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_package_holds_what_is_put_into_a_root(tmp_path: Path, suffix: str) -> None:
    direct = tmp_path / "direct"
    (direct / "usr/lib/systemd/system").mkdir(parents=True)
    assert main(["image", "tools", "--root", str(direct)]) == 0
    unpacked(package(tmp_path, suffix), tmp_path / "root")
    installed = tree(tmp_path / "root")
    assert installed == tree(direct)
    assert {*ALL_TOOLS.programs} <= {os.path.basename(path) for path in installed}
    for path, (mode, _) in installed.items():
        assert not mode or mode == (0o755 if os.path.basename(path) in ALL_TOOLS.programs else 0o644), path
    for link in (tmp_path / "root").glob("usr/lib/systemd/system/*.wants/*"):
        assert link.exists(), "the link leads to its unit"


def dated_package(path: Path, date: str) -> int:
    """Exit status of the program with that SOURCE_DATE_EPOCH."""
    argv = (sys.executable, "-m", "gprov.apps.host.cli.main", "image", "tools", "--output", str(path))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SOURCE_DATE_EPOCH": date}
    return subprocess.run(argv, env=environment, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_tools_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    first = package(tmp_path, suffix).read_bytes()
    assert package(tmp_path, suffix).read_bytes() == first
    dated = tmp_path / f"dated{suffix}"
    assert dated_package(dated, "1767225600") == 0
    assert dated.read_bytes() != first
    listing = run("dpkg-deb", "-c", str(dated)) if suffix == ".deb" else run("tar", "-tvf", str(dated))
    assert {line.split()[3] for line in listing.splitlines()} == {"2026-01-01"}
    assert {line.split()[1] for line in listing.splitlines()} == {"root/root"}
    assert dated_package(dated, "tomorrow") == 1


def test_dpkg_knows_the_package(tmp_path: Path) -> None:
    made = package(tmp_path, ".deb")
    assert run("dpkg-deb", "-W", str(made)) == f"gprov-tools\t{debian_version(__version__)}\n"
    unpacked(made, tmp_path / "root")
    assert run("dpkg", f"--root={tmp_path / 'root'}", "--verify", "gprov-tools") == ""
    run("dpkg", f"--root={tmp_path / 'root'}", "--purge", "gprov-tools")
    assert tree(tmp_path / "root") == {}


def test_the_names_of_a_product(tmp_path: Path) -> None:
    names = Branding(recovery_label="RESCUE", config_folder="/etc/acme", image_prefix="ACME'S.X.Y.")
    file = tmp_path / "names.toml"
    file.write_text('recovery_label = "RESCUE"\nconfig_folder = "/etc/acme"\nimage_prefix = "ACME\'S.X.Y."\n')
    unpacked(package(tmp_path, ".tar.xz", "--branding", str(file)), tmp_path / "root")
    library = tmp_path / "root/usr/lib/gprov/names"
    shown = run("sh", "-c", f'. {library}; echo "$recovery_label|$config|$log|$image_prefix|$mac_prefix"')
    assert shown == f"RESCUE|/etc/acme|log|{names.image_prefix}|{names.mac_prefix}\n"
    units = [path.read_text() for path in (tmp_path / "root/usr/lib/systemd/system").glob("*.*") if path.is_file()]
    assert not [text for text in units if "/mnt/RECOVERY" in text or "/etc/provisioning" in text]
    assert [text for text in units if "RequiresMountsFor=/mnt/RESCUE" in text]


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    (root / "usr/bin").mkdir()
    (root / "bin").symlink_to("usr/bin")
    shutil.copy("/bin/true", root / "usr/bin/true")
    TOOLS_AND_UPDATE.install(str(root))
    argv = ["systemd-analyze", f"--root={root}", "--man=no", "verify", *TOOLS_AND_UPDATE.units]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in done.stderr.splitlines() if "gprov" in line] == []


def test_the_agent_for_updates_is_a_package_of_its_own(tmp_path: Path) -> None:
    made = package(tmp_path, ".deb", "--update")
    assert run("dpkg-deb", "-W", str(made)) == f"gprov-update\t{debian_version(__version__)}\n"
    needed = run("dpkg-deb", "-f", str(made), "Depends")
    assert needed == f"gprov-tools (= {debian_version(__version__)}), libssl3, python3 (>= 3.11), systemd\n"
    unpacked(made, tmp_path / "root")
    assert sorted(tree(tmp_path / "root")) == [
        "usr/lib/systemd/system/gprov-update.service",
        "usr/lib/systemd/system/multi-user.target.wants/gprov-update.service",
        "usr/sbin/gprov-update",
    ]
    run("dpkg", f"--root={tmp_path / 'root'}", "--purge", "gprov-update")
    assert tree(tmp_path / "root") == {}


def test_the_agent_comes_with_the_tools(tmp_path: Path) -> None:
    unpacked(package(tmp_path, ".tar.xz", "--update"), tmp_path / "root")
    direct = tmp_path / "direct"
    (direct / "usr/lib/systemd/system").mkdir(parents=True)
    needed = [direct / path for path in ("usr/bin/python3.11", "usr/bin/python3", "usr/lib/machine/libcrypto.so.3")]
    for path in needed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert main(["image", "tools", "--update", "--root", str(direct)]) == 0
    for path in needed:
        path.unlink()
    assert tree(tmp_path / "root") == tree(direct)
    assert {"usr/sbin/gprov-update", "usr/sbin/gprov-boot-good"} <= set(tree(direct))


def test_a_root_without_what_the_agent_needs_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "root/usr/lib/systemd/system").mkdir(parents=True)
    (tmp_path / "root/lib").symlink_to("/usr/lib")  # of this machine, which has it
    before = tree(tmp_path / "root")
    assert main(["image", "tools", "--update", "--root", str(tmp_path / "root")]) == 1
    shown = capsys.readouterr().err
    assert "/usr/bin/python3: is missing" in shown
    assert "libcrypto.so.3: is missing" in shown
    assert tree(tmp_path / "root") == before


def test_the_agent_knows_the_names_of_its_product(tmp_path: Path) -> None:
    file = tmp_path / "names.toml"
    file.write_text('recovery_label = "RESCUE"\nconfig_folder = "/etc/acme"\n')
    unpacked(package(tmp_path, ".tar.xz", "--update", "--branding", str(file)), tmp_path / "root")
    unit = (tmp_path / "root/usr/lib/systemd/system/gprov-update.service").read_text()
    assert "ConditionPathExists=|/etc/acme/update.toml" in unit
    assert "ConditionPathExists=|/mnt/RESCUE/update/update.toml" in unit
    assert "After=network-online.target local-fs.target mnt-RESCUE.mount\n" in unit
    argv = [str(tmp_path / "root/usr/sbin/gprov-update"), "--root", str(tmp_path / "empty"), "once"]
    (tmp_path / "empty/run").mkdir(parents=True)
    (tmp_path / "empty/mnt/RESCUE").mkdir(parents=True)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "/etc/acme/update.toml" in done.stderr) == (3, True)


def test_a_program_that_moved_is_at_its_new_place_alone(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/systemd/system").mkdir(parents=True)
    (tmp_path / "usr/sbin").mkdir()
    for name in ALL_TOOLS.programs:
        (tmp_path / "usr/sbin" / name).write_text("of an earlier version")
    assert main(["image", "tools", "--root", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.glob("usr/*bin/*")) == sorted(ALL_TOOLS.programs)
    assert not any(path.read_text().startswith("of an") for path in tmp_path.glob("usr/*bin/*"))


def test_a_root_whose_two_folders_of_programs_are_one(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/systemd/system").mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/sbin").symlink_to("bin")
    for _ in range(2):
        assert main(["image", "tools", "--root", str(tmp_path)]) == 0
        assert sorted(path.name for path in (tmp_path / "usr/bin").iterdir()) == sorted(ALL_TOOLS.programs)


def test_folders_can_be_entered_whatever_the_umask(tmp_path: Path) -> None:
    """Tools that only print need no rights."""
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    command = [sys.executable, "-m", "gprov.apps.host.cli.main", "image", "tools", "--root", str(tmp_path)]
    subprocess.run(command, umask=0o077, timeout=60, check=True, stdout=subprocess.DEVNULL)
    made = [
        tmp_path / "usr/lib/gprov",
        tmp_path / "usr/sbin",
        tmp_path / "usr/bin",
        tmp_path / "usr/lib/systemd/coredump.conf.d",
    ]
    assert {path.stat().st_mode & 0o7777 for path in (*made, *units.glob("*.wants"))} == {0o755}


def test_wrong_usage(tmp_path: Path) -> None:
    for words in ([], ["--output", str(tmp_path / "x.zip")], ["--output", "x.deb", "--root", "/"]):
        with pytest.raises(SystemExit) as caught:
            main(["image", "tools", *words])
        assert caught.value.code == 2
