"""The source archive and the wheel hold what they need and nothing else; gprov runs from the wheel, outside of a
checkout. Readers: tar, zipfile, pip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path, PurePath

import pytest

from distribution.lock import chosen_lock, parse_lock
from distribution.sources import ROOT, build_source_archive, build_wheel, source_date, tracked, unpack
from gprov import __version__
from gprov.apps.host.lab.rootfs import read_recipe, root_key
from tests.integ.setup.commands import free_port, running_server

SECONDS = 300.0
MADE = {"PKG-INFO", "setup.cfg"}
# Of buildroot/: what Buildroot alone reads, and facts for a page of the documentation.
ONLY_OF_SOURCES = (
    "buildroot/README.md",
    "buildroot/Config.in",
    "buildroot/external.",
    "buildroot/names.toml",
    "buildroot/board/",
    "buildroot/configs/",
    "buildroot/package/",
    "buildroot/patches/",
    "buildroot/kernel/drivers.tsv",
)


def test_the_source_archive_has_what_git_tracks(archive: Path) -> None:
    listed = subprocess.run(["tar", "-tzf", archive], capture_output=True, text=True, check=True).stdout.splitlines()
    base = f"gprov-{__version__}/"
    assert archive.name == f"{base[:-1]}.tar.gz"
    assert all(name.startswith(base) for name in listed)
    files = {name.removeprefix(base) for name in listed if not name.endswith("/")}
    made = {name for name in files if name.startswith("gprov.egg-info/")} | MADE
    assert files - made == set(tracked(ROOT))
    assert made <= files


def test_programs_stay_executable_in_the_source_archive(archive: Path) -> None:
    with tarfile.open(archive) as content:
        modes = {member.name.partition("/")[2]: member.mode for member in content if member.isreg()}
    programs = {name for name, mode in modes.items() if mode & 0o111}
    assert programs == {name for name in tracked(ROOT) if os.access(ROOT / name, os.X_OK)}
    assert {"tools/setup", ".ci/run", "debian/rules"} <= programs


def test_the_wheel_has_the_package_and_what_builds_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
        assert content.testzip() is None
    info = f"gprov-{__version__}.dist-info/"
    assert wheel.name == f"gprov-{__version__}-py3-none-any.whl"
    code = {name for name in tracked(ROOT) if name.startswith("gprov/")}
    shipped = {
        f"gprov/{name}"
        for name in tracked(ROOT)
        if name.startswith("buildroot/") and not name.startswith(ONLY_OF_SOURCES)
    }
    assert {name for name in names if not name.startswith(info)} == code | shipped
    assert {name.removeprefix(info) for name in names if name.startswith(info)} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "top_level.txt",
    }


@pytest.mark.nightly  # the archive and the wheel once more
def test_the_same_files_give_the_same_bytes(archive: Path, wheel: Path, tmp_path: Path) -> None:
    """Also from an unpacked source archive, which git does not know."""
    sources = unpack(archive, tmp_path / "unpacked")
    assert not (sources / ".git").exists()
    moved = tmp_path / "moved"
    moved.mkdir()
    again = build_source_archive(ROOT, moved, tmp_path / "again")
    assert again.read_bytes() == archive.read_bytes()
    assert build_wheel(sources, tmp_path / "again", source_date(ROOT)).read_bytes() == wheel.read_bytes()
    assert tracked(sources) == tracked(ROOT)


def locked_files() -> Iterator[Path]:
    """Files and folders of this environment's packages that an installed gprov needs, by the lock file."""
    for package in parse_lock(chosen_lock("runtime")):
        found = distribution(package.name)
        of_setuptools = found.read_text("installed-files.txt")  # relative to the folder with the metadata
        paths = [
            PurePath(line).relative_to("..") for line in (of_setuptools or "").splitlines() if line.startswith("../")
        ]
        names = {path.parts[0] for path in (paths or found.files or ())} - {"..", "__pycache__"}
        yield from (Path(str(found.locate_file(name))) for name in names)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment, with the packages of the lock file that are not for development, and the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=SECONDS)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for path in locked_files():
        (packages / path.name).symlink_to(path)
    python = folder / "bin/python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-compile",
    ]
    subprocess.run([*install, "--disable-pip-version-check", str(wheel)], check=True, timeout=SECONDS)
    return folder


def run(installed: Path, folder: Path, *words: str, expected: int = 0) -> str:
    """Its output. ``folder``: the current one. The environment names no other Python packages."""
    environment = {"PATH": f"{installed}/bin:{os.environ['PATH']}", "HOME": str(folder)}
    command = [str(installed / "bin" / words[0]), *words[1:]]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def test_it_is_the_installed_one(installed: Path, tmp_path: Path) -> None:
    where = run(installed, tmp_path, "python", "-c", "import gprov; print(gprov.__file__)").strip()
    assert Path(where).is_relative_to(installed)
    assert run(installed, tmp_path, "gprov", "--version") == f"gprov {__version__}\n"
    metadata = "from importlib.metadata import version; print(version('gprov'))"
    assert run(installed, tmp_path, "python", "-c", metadata) == f"{__version__}\n"


def test_the_life_of_a_simulated_unit(installed: Path, tmp_path: Path) -> None:
    printed = json.loads(run(installed, tmp_path, "gprov", "simulate", "lifecycle", "--json"))
    assert printed["passed"]
    assert len(printed["stages"]) == 3


def test_every_module_is_there_and_can_be_imported(installed: Path, tmp_path: Path) -> None:
    program = (
        "import gprov, importlib, pkgutil\n"
        "names = [found.name for found in pkgutil.walk_packages(gprov.__path__, 'gprov.')]\n"
        "for name in names:\n"
        "    if not name.endswith('__main__'):\n"
        "        importlib.import_module(name)\n"
        "print(len(names))\n"
    )
    counted = int(run(installed, tmp_path, "python", "-c", program))
    modules = [name for name in tracked(ROOT) if name.startswith("gprov/") and name.endswith(".py")]
    assert counted == len(modules) - 1  # gprov itself


def test_the_factory_server_has_its_pages(installed: Path, tmp_path: Path) -> None:
    data, key = tmp_path / "factory", tmp_path / "server.key"
    options = ["--isolated", "--port", str(free_port()), "--key-file", str(key)]
    data.mkdir()
    program = str(installed / "bin/gprov")
    with running_server(data, *options, program=program, under=("env", "-u", "PYTHONPATH")) as address:
        for path, wanted in (("/", b"<html"), ("/line/", b"<html"), ("/static/gprov.css", b"{")):
            with urllib.request.urlopen(f"{address}{path}", timeout=SECONDS) as reply:
                assert wanted in reply.read()


def test_the_tools_of_images(installed: Path, tmp_path: Path) -> None:
    made = tmp_path / "tools.deb"
    run(installed, tmp_path, "gprov", "image", "tools", "--output", str(made))
    ours = subprocess.run(["dpkg-deb", "--contents", made], capture_output=True, text=True, check=True).stdout
    assert "./usr/sbin/gprov-netsave" in ours


def test_the_root_of_the_lab_is_the_checkout_s(installed: Path, tmp_path: Path) -> None:
    """Contents and modes of its files are."""
    program = (
        "import os\n"
        "from gprov.apps.host.initramfs.shipped import shipped_folder\n"
        "from gprov.apps.host.lab.rootfs import read_recipe, root_key\n"
        "print(root_key(read_recipe(os.path.join(shipped_folder(), 'rootfs/rootfs.toml')), ('source',)))\n"
    )
    ours = root_key(read_recipe(str(ROOT / "buildroot/rootfs/rootfs.toml")), ("source",))
    assert run(installed, tmp_path, "python", "-c", program).strip() == ours


@pytest.mark.nightly
@pytest.mark.parametrize("flavor", ["normal", "mfg"])
def test_an_initramfs_is_the_checkout_s(installed: Path, tmp_path: Path, flavor: str) -> None:
    words = ["build", "initramfs", "--flavor", flavor, "--level", "1", "--output"]
    run(installed, tmp_path, "gprov", *words, str(tmp_path / "installed"))
    command = [sys.executable, "-m", "gprov.apps.host.cli.main", *words, str(tmp_path / "checkout")]
    subprocess.run(command, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
    assert (tmp_path / "installed").read_bytes() == (tmp_path / "checkout").read_bytes()
