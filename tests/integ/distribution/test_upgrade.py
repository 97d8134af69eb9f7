"""Upgrades of the Debian package in a minimal Debian that its own systemd has started: no server runs while files are
replaced, and those that ran do so afterwards, also after an upgrade that failed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov import __version__
from gprov.domain.formats.debian_version import debian_version
from tests.integ.distribution.booted_debian import BootedDebian, booted
from tests.integ.distribution.minimal_debian import make_minimal_debian

TOOLS = ("dpkg-buildpackage", "dh", "mmdebstrap", "nsenter", "setpriv", "unshare")
pytestmark = [
    pytest.mark.nightly,  # minutes, as those of test_packages.py
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason=f"needs root, {', '.join(TOOLS)}"
    ),
]
SECONDS = 600.0
NEWER, BAD = "999.1.0", "999.2.0"
# What systemd-escape makes of a path with a hyphen.
INSTANCE = "gprov-server@srv-line\\x2d1.service"
OWN = "line-two.service"
NOT_ENABLED = "gprov-server@srv-three.service"
IDLE = "gprov-server@srv-four.service"
UNITS = {"line-1": INSTANCE, "two": OWN, "three": NOT_ENABLED, "four": IDLE}
PORTS = {"line-1": 8901, "two": 8902, "three": 8903, "four": 8904}
SERVERS = "systemctl list-units --type=service --state=active,activating,deactivating --plain --no-legend"
# Of the package that is about to be unpacked: just before the first file is replaced.
PROBE = f"""\
#!/bin/sh
{SERVERS} | grep -e gprov-server -e line-two > /run/probe
ps -e -o args | grep /usr/lib/gprov/bin/python3 | grep -v grep >> /run/probe
exit 0
"""


def repacked(package: Path, folder: Path, version: str, preinst: str) -> Path:
    """The package as another version, with modules that say so, and this script."""
    content = folder / "content"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(content)], check=True, timeout=SECONDS)
    control = content / "DEBIAN/control"
    control.write_text(
        control.read_text().replace(f"Version: {debian_version(__version__)}\n", f"Version: {version}\n")
    )
    module = content / "usr/lib/gprov/lib/python3.11/site-packages/gprov/__init__.py"
    module.write_text(module.read_text().replace(__version__, version))
    script = content / "DEBIAN/preinst"
    script.write_text(preinst)
    script.chmod(0o755)
    made = folder / f"gprov_{version}.deb"
    command = ["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", str(content), str(made)]
    subprocess.run(command, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
    shutil.rmtree(content)
    return made


@pytest.fixture(scope="module")
def debian(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedDebian]:
    """With three versions of the package in /, and the first one installed."""
    field = ["dpkg-deb", "--field", str(packages["gprov"]), "Depends"]
    depends = subprocess.run(field, capture_output=True, text=True, check=True).stdout.strip()
    root = tmp_path_factory.mktemp("debian")
    make_minimal_debian(root, f"{depends}, ipxe, procps, systemd")
    shutil.copy(packages["gprov"], root / "first.deb")
    for name, version, preinst in (("newer", NEWER, PROBE), ("bad", BAD, "#!/bin/sh\nexit 1\n")):
        made = repacked(packages["gprov"], tmp_path_factory.mktemp(name), version, preinst)
        shutil.move(made, root / f"{name}.deb")
    with booted(root) as started:
        started.run("dpkg", "--install", "/first.deb")
        make_servers(started)
        yield started
    shutil.rmtree(root)


def make_servers(debian: BootedDebian) -> None:
    """An instance of the package's service, one that is not enabled, and one that does not run; a service that `gprov
    server init` wrote."""
    network = ("--isolated", "--interface", "lo", "--range", "127.0.0.100,127.0.0.200,255.255.255.0")
    for name, port in PORTS.items():
        debian.run("gprov", "server", "init", f"/srv/{name}", "--server", f"http://127.0.0.1:{port}", *network)
        debian.run("chown", "-R", "gprov:", f"/srv/{name}")
    debian.run("cp", "/srv/two/gprov-server.service", f"/etc/systemd/system/{OWN}")
    debian.run("systemctl", "daemon-reload")
    debian.run("systemctl", "enable", "--now", INSTANCE, OWN)
    debian.run("systemctl", "start", NOT_ENABLED)
    debian.run("systemctl", "enable", IDLE)
    assert answering(debian) == {"line-1", "two", "three"}


def test_a_failed_upgrade_starts_the_old_servers_again(debian: BootedDebian) -> None:
    before = {unit: debian.main_process(unit) for unit in (INSTANCE, OWN)}
    debian.run("dpkg", "--install", "/bad.deb", expected=1)
    assert debian.run("gprov", "--version") == f"gprov {__version__}\n"
    for unit, process in before.items():
        assert debian.main_process(unit) not in (0, process)
    assert answering(debian) == {"line-1", "two"}
    debian.run("systemctl", "start", NOT_ENABLED)


def test_no_server_runs_while_files_are_replaced(debian: BootedDebian) -> None:
    before = {unit: debian.main_process(unit) for unit in (INSTANCE, OWN, NOT_ENABLED)}
    assert answering(debian) == {"line-1", "two", "three"}
    said = debian.run("dpkg", "--install", "/newer.deb")
    assert debian.run("cat", "/run/probe") == ""
    assert debian.run("gprov", "--version") == f"gprov {NEWER}\n"
    for unit in (INSTANCE, OWN):
        assert debian.active(unit)
        assert debian.main_process(unit) not in (0, before[unit])
        assert f"gprov: {unit} " not in said
    assert not debian.active(IDLE)
    assert not debian.active(NOT_ENABLED)
    assert f"gprov: {NOT_ENABLED} was stopped, and is not started: it is disabled, or failed" in said
    assert answering(debian) == {"line-1", "two"}


def test_removal_stops_them_and_keeps_no_list(debian: BootedDebian) -> None:
    debian.run("dpkg", "--remove", "gprov")
    assert debian.run("sh", "-c", f"{SERVERS} | grep -e gprov-server -e line-two || true") == ""
    debian.run("dpkg", "--install", "/newer.deb")
    assert not debian.active(INSTANCE)
    assert not debian.active(OWN)
    assert "gprov" not in debian.run("ls", "/run")


def answering(debian: BootedDebian) -> set[str]:
    """Names of the servers that send their page. Those that have a process are given time to listen."""
    return {name for name, unit in UNITS.items() if debian.main_process(unit) and _page(debian, PORTS[name])}


def _page(debian: BootedDebian, port: int) -> bool:
    ask = ("curl", "--silent", "--fail", "--location", "--retry", "60", "--retry-connrefused", "--retry-delay", "1")
    done = subprocess.run(
        ["nsenter", f"--target={debian.init}", "--net", *ask, f"http://127.0.0.1:{port}/"],
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode == 0 and b"<html" in done.stdout
