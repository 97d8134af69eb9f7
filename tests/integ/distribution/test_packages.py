"""The Debian packages: built by dpkg-buildpackage, judged by lintian, installed in a minimal Debian 12, where a unit is
provisioned by the factory server, and removed without a trace."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from distribution.lock import chosen_lock, normal, parse_lock
from gprov import __version__
from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.domain.factory.documents import file_name
from gprov.domain.formats.debian_version import debian_version
from tests.integ.distribution.minimal_debian import MinimalDebian, make_minimal_debian
from tests.integ.setup.commands import free_port, running_server
from tests.integ.setup.simulated_unit import kernel_arguments, life
from tests.integ.setup.test_setup import fill_in

TOOLS = ("dpkg-buildpackage", "dh", "lintian", "mmdebstrap", "systemd-analyze")
pytestmark = [
    pytest.mark.nightly,  # minutes, most of them for compressing and for installing Debian
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason=f"needs root, {', '.join(TOOLS)}"
    ),
]
SECONDS = 600.0
VERSION = debian_version(__version__)
KERNEL = build_kernel(100)


def run(*command: str | Path, expected: int = 0) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def debian(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinimalDebian]:
    """With what gprov depends on, and iPXE, which a factory server needs."""
    depends = run("dpkg-deb", "--field", packages["gprov"], "Depends").strip()
    root = tmp_path_factory.mktemp("debian")
    made = make_minimal_debian(root, f"{depends}, ipxe")
    shutil.copy(packages["gprov"], root / "gprov.deb")
    yield made
    shutil.rmtree(root)


def test_what_the_packages_say(packages: dict[str, Path]) -> None:
    assert {name: path.name for name, path in packages.items()} == {
        "gprov": f"gprov_{VERSION}_amd64.deb",
        "gprov-lab": f"gprov-lab_{VERSION}_all.deb",
    }
    depends = run("dpkg-deb", "--field", packages["gprov"], "Depends")
    assert {"python3.11", "libparted2", "libudev1"} <= {re.split(r"[ (]", each)[0] for each in depends.split(", ")}
    programs = run("dpkg-deb", "--field", packages["gprov-lab"], "Depends")
    assert {"qemu-system-x86", "linux-source-6.1", f"gprov (>= {VERSION})"} <= set(programs.strip().split(", "))


def test_what_is_in_the_package(packages: dict[str, Path]) -> None:
    listed = run("dpkg-deb", "--contents", packages["gprov"]).splitlines()
    rows = [re.split(r" +", line, maxsplit=5) for line in listed]
    assert {row[1] for row in rows} == {"root/root"}
    paths = {row[5].partition(" -> ")[0] for row in rows}
    found = {
        match[1] for path in paths if (match := re.search(r"/site-packages/([^/]+?)-[^/]+(?:dist|egg)-info/$", path))
    }
    assert {normal(name) for name in found} == {package.name for package in parse_lock(chosen_lock("runtime"))} | {
        "gprov"
    }
    assert [path for path in paths if path.endswith(".pyc")] == []
    assert "./usr/share/man/man1/gprov-server-init.1.gz" in paths
    assert "./lib/systemd/system/gprov-server@.service" in paths
    assert "./usr/share/doc/gprov/docs/how-to/install.md" in paths
    assert {path.split("/")[1] for path in paths} == {"", "lib", "usr"}


def test_the_changelog_as_dpkg_reads_it(packages: dict[str, Path], now: int, tmp_path: Path) -> None:
    run("dpkg-deb", "--extract", packages["gprov-lab"], tmp_path)
    (packed,) = tmp_path.glob("usr/share/doc/gprov-lab/changelog*.gz")
    plain = tmp_path / "changelog"
    plain.write_bytes(subprocess.run(["gzip", "-dc", packed], capture_output=True, check=True).stdout)
    assert run("dpkg-parsechangelog", "-l", plain, "-S", "Version").strip() == VERSION
    assert run("dpkg-parsechangelog", "-l", plain, "-S", "Timestamp").strip() == str(now)


def test_lintian_finds_nothing(packages: dict[str, Path]) -> None:
    """But what debian/*.lintian-overrides explains."""
    printed = run("lintian", "--allow-root", "--fail-on", "error,warning", "--no-tag-display-limit", *packages.values())
    assert [line for line in printed.splitlines() if line.startswith(("E:", "W:"))] == []


def test_versions_are_in_dpkg_s_order() -> None:
    ordered = ["0.1.0.dev0", "0.1.0.dev2", "0.1.0.dev10", "0.1.0", "0.1.1.dev0", "0.2.0", "0.10.0.dev1", "1.0.0"]
    for index, older in enumerate(ordered[:-1]):
        newer = ordered[index + 1]
        run("dpkg", "--compare-versions", debian_version(older), "lt", debian_version(newer))


def prepare(debian: MinimalDebian, server: str) -> Path:
    """A data folder, made by commands of the package; return its path."""
    data = debian.root / "srv/factory"
    words = ["--server", server, "--isolated", "--interface", "lo", "--range", "127.0.0.100,127.0.0.200,255.255.255.0"]
    for name, content in ((IMAGE_NAME, build_image(KERNEL)), ("norm_boot", KERNEL), ("provision.pxe", KERNEL)):
        (debian.root / "tmp" / name).write_bytes(content)
        words += ["--file", f"/tmp/{name}"]
    debian.run("gprov", "server", "init", "/srv/factory", *words)
    fill_in(data)
    debian.run("chown", "-R", "gprov:", "/srv/factory")
    credentials = debian.root / "run/credentials"  # what LoadCredential= of the service makes
    credentials.mkdir(parents=True)
    shutil.copy(debian.root / "etc/gprov/server.key", credentials / "gprov-server-key")
    debian.run("chown", "-R", "gprov:", "/run/credentials")
    return data


def test_a_unit_is_provisioned_and_removal_leaves_nothing(debian: MinimalDebian) -> None:
    before = debian.files()
    debian.run("dpkg", "--install", "/gprov.deb")
    assert debian.run("dpkg", "--verify", "gprov") == ""
    assert debian.run("gprov", "--version") == f"gprov {__version__}\n"
    printed = debian.run("gprov", "simulate", "lifecycle", "--json", account="nobody:nogroup")
    assert json.loads(printed)["passed"]
    service_is_accepted(debian)

    server = f"http://127.0.0.1:{free_port()}"
    data = prepare(debian, server)
    found = json.loads(debian.run("gprov", "server", "check", "--data", "/srv/factory", "--no-network", "--json"))
    assert found["valid"], found
    under = (*debian.under(account="gprov:gprov"), "env", "CREDENTIALS_DIRECTORY=/run/credentials")
    with running_server(Path("/srv/factory"), under=under, program="/usr/bin/gprov") as address:
        assert address == server
        with urllib.request.urlopen(f"{server}/boot.ipxe?serial={SERIAL}", timeout=SECONDS) as reply:
            life(kernel_arguments(reply.read().decode()))
        with urllib.request.urlopen(f"{server}/", timeout=SECONDS) as reply:
            assert SERIAL in reply.read().decode()
    assert SERIAL in (data / "documents" / file_name(SERIAL, f"{SERIAL}_qav.htm")).read_text()

    # The factory is the owner's: it stays, and the account that its files belong to.
    said = debian.run("dpkg", "--purge", "gprov")
    assert "the account gprov stays" in said
    assert data.is_dir()
    left = changed(before, debian.files())
    assert {path for path in left if not path.startswith(("srv/factory", "etc/gprov"))} == ACCOUNT_FILES
    for path in ("srv/factory", "etc/gprov"):
        shutil.rmtree(debian.root / path)
    debian.run("dpkg", "--install", "/gprov.deb")
    debian.run("dpkg", "--remove", "gprov")
    assert changed(before, debian.files()) == ACCOUNT_FILES
    debian.run("dpkg", "--purge", "gprov")
    assert changed(before, debian.files()) == set()
    assert debian.run("dpkg", "--audit") == ""


ACCOUNT_FILES = {"etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"}


def changed(before: dict[str, tuple[int, int, str]], now: dict[str, tuple[int, int, str]]) -> set[str]:
    return {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}


def service_is_accepted(debian: MinimalDebian) -> None:
    """By systemd, for a data folder whose path has characters that are escaped."""
    unit = "gprov-server@srv-line\\x2d1.service"
    shutil.copytree("/usr/lib/systemd/system", debian.root / "tmp/root/usr/lib/systemd/system", symlinks=True)
    root = debian.root / "tmp/root"
    shutil.copy(debian.root / "lib/systemd/system/gprov-server@.service", root / "usr/lib/systemd/system")
    (root / "usr/bin").mkdir()
    (root / "lib").symlink_to("usr/lib")
    shutil.copy(debian.root / "usr/bin/gprov", root / "usr/bin")
    command = ["systemd-analyze", f"--root={root}", "--man=no", "verify", unit]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert [line for line in done.stderr.splitlines() if "gprov" in line] == []
    judge = ["systemd-analyze", f"--root={root}", "security", "--offline=yes", "--threshold=15", "--no-pager", unit]
    judged = subprocess.run(judge, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert judged.returncode == 0, judged.stdout[-300:] + judged.stderr
