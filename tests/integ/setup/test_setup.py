"""A factory from nothing: gprov server init, check, and the server that provisions a unit from that folder."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.simulation.factory_files import hardware_specification
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.apps.server.setup.check import CheckOptions, findings
from gprov.domain.branding import Branding
from gprov.domain.factory.documents import file_name
from gprov.domain.factory.setup.finding import Level
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_entry
from tests.integ.setup.commands import GPROV, SECONDS, check, free_port, gprov, read_json, running_server
from tests.integ.setup.simulated_unit import kernel_arguments, life

RANGE = ("--isolated", "--interface", "lo", "--range", "127.0.0.100,127.0.0.200,255.255.255.0")
KERNEL = build_kernel(100)


@pytest.fixture
def artifacts(tmp_path: Path) -> list[Path]:
    """Image, boot kernel and provisioning kernel, as builds leave them."""
    folder = tmp_path / "built"
    folder.mkdir()
    for name, content in ((IMAGE_NAME, build_image(KERNEL)), ("norm_boot", KERNEL), ("provision.pxe", KERNEL)):
        (folder / name).write_bytes(content)
    return sorted(folder.iterdir())


def init(tmp_path: Path, *options: str | Path, server: str = "http://127.0.0.1:8901", expected: int = 0) -> Path:
    data = tmp_path / "factory"
    key = tmp_path / "server.key"
    gprov("server", "init", data, "--server", server, *RANGE, "--key-file", key, *options, expected=expected)
    return data


def fill_in(data: Path) -> None:
    """What a person does with the templates: the platform of the simulation."""
    platform = default_table()[0]
    manuf, table = data / "files/manufData.json", data / "appliance.json"
    document = read_json(manuf)
    document["ValidationData"] = [hardware_specification(platform, nics=1, own_nics=1)]
    manuf.write_text(json.dumps(document))
    table.write_text(json.dumps({"Variants": [platform_entry(platform)]}))


def problems(found: list[dict[str, str]]) -> list[str]:
    return [f"{each['subject']} {each['place']} {each['message']}" for each in found if each["level"] == "problem"]


@pytest.mark.nightly  # every run: the document's test, and the next one
def test_a_unit_is_provisioned_from_a_folder_that_init_made(tmp_path: Path, artifacts: list[Path]) -> None:
    server = f"http://127.0.0.1:{free_port()}"
    data = init(tmp_path, *(word for path in artifacts for word in ("--file", path)), server=server)
    todo = problems(check(data, "--no-network", expected=1))
    assert todo
    assert all("is not filled in yet" in each for each in todo)
    fill_in(data)
    assert problems(check(data)) == []
    with running_server(data, "--key-file", str(tmp_path / "server.key")) as address:
        assert address == server
        assert problems(check(data, "--no-network")) == []  # its port is in use by itself
        with urllib.request.urlopen(f"{server}/boot.ipxe?serial={SERIAL}", timeout=SECONDS) as reply:
            arguments = kernel_arguments(reply.read().decode())
        assert arguments["mfgurl"] == f"{server}/files/manufData.json"
        world = life(arguments)
        with urllib.request.urlopen(f"{server}/api/v1/unit?serial={SERIAL}", timeout=SECONDS) as reply:
            assert json.load(reply)["summary"]["state"] in ("FR_SUCCEEDED", "INIT_SUCCEEDED")
        document = data / "documents" / file_name(SERIAL, f"{SERIAL}_qav.htm")
        assert SERIAL in document.read_text()
    recovery = world.machine.volume_tree("RECOVERY")
    assert recovery.get(f"/Image/{IMAGE_NAME}") is not None


def test_a_unit_is_provisioned_over_tls_with_a_token(tmp_path: Path, artifacts: list[Path]) -> None:
    server, key, ca_key = f"https://127.0.0.1:{free_port()}", tmp_path / "server.key", tmp_path / "safe/ca.key"
    files = [word for path in artifacts for word in ("--file", path)]
    data = tmp_path / "factory"
    network = RANGE[1:]
    words = ("server", "init", data, "--server", server, *network, "--key-file", key, "--ca-key", ca_key, *files)
    planned = gprov(*words, "--dry-run").stdout.split()
    assert f"`gprov server check --data {data} --key-file {key}`" in gprov(*words).stderr
    made = [f"{path}/" if path.is_dir() else str(path) for path in data.rglob("*")]
    assert sorted(planned) == sorted([*made, str(ca_key)])
    fill_in(data)
    _append(data / "server.toml", f"boot_port = {free_port()}\n")  # the last table is [tls]
    found = check(data, "--no-network", "--key-file", str(key))
    assert problems(found) == []
    (account,) = (each for each in found if "there is no account" in each["message"])
    assert account["remedy"] == f"`gprov server account add NAME --role manage --data {data} --key-file {key}`"
    ca = data / "tls/ca.pem"
    with running_server(data, "--key-file", str(key)) as address:
        assert address == server
        assert problems(check(data, "--no-network")) == []
        boot = read_toml(data / "server.toml")["tls"]["boot_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{boot}/boot.ipxe?serial={SERIAL}", timeout=SECONDS) as reply:
            arguments = kernel_arguments(reply.read().decode())
        assert set(arguments) == {"mfgurl", "mfgca", "PROVISION_TOKEN"}
        life(arguments)
        document = data / "documents" / file_name(SERIAL, f"{SERIAL}_qav.htm")
        assert SERIAL in document.read_text()
    fingerprint = ["openssl", "x509", "-in", str(ca), "-noout", "-fingerprint", "-sha256"]
    printed = subprocess.run(fingerprint, capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    assert arguments["mfgca"] == f"sha256:{printed.strip().partition('=')[2].replace(':', '').lower()}"


def test_plain_http_is_for_isolated_networks(tmp_path: Path) -> None:
    words = ("server", "init", tmp_path / "factory", "--server", "http://127.0.0.1:1", *RANGE[1:])
    done = gprov(*words, "--key-file", tmp_path / "key", expected=2)
    assert "name an isolated network with --isolated" in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_exists_is_changed(tmp_path: Path) -> None:
    used = tmp_path / "factory"
    used.mkdir()
    (used / "anything").write_text("kept")
    done = gprov(
        "server", "init", used, "--server", "http://127.0.0.1:1", *RANGE, "--key-file", tmp_path / "key", expected=1
    )
    assert "is not empty (it has anything): nothing was changed" in done.stderr
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["anything", "factory"]
    (used / "anything").unlink()
    init(tmp_path)
    assert (used / "server.toml").exists()


def test_a_dry_run_lists_what_is_made_then(tmp_path: Path, artifacts: list[Path]) -> None:
    files = [word for path in artifacts for word in ("--file", path)]
    words = ("--server", "http://127.0.0.1:8901", *RANGE, "--key-file", tmp_path / "key", *files)
    planned = gprov("server", "init", tmp_path / "factory", *words, "--dry-run").stdout.split()
    assert not (tmp_path / "factory").exists()
    assert not (tmp_path / "key").exists()
    gprov("server", "init", tmp_path / "factory", *words)
    made = [f"{path}/" if path.is_dir() else str(path) for path in (tmp_path / "factory").rglob("*")]
    assert sorted(planned) == sorted(made)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--server", "ftp://x"], "must begin with http"),
        (["--interface", "a/b"], "is not an interface name"),
        (["--user", "no user"], "is not a name of a system user"),
        (["--file", "/nonexistent/file"], "no such file"),
        (["--ipxe", "/nonexistent"], "install the package ipxe"),
    ],
)
def test_what_cannot_be_made(tmp_path: Path, words: list[str], message: str) -> None:
    usual = {"--server": "http://127.0.0.1:1", "--interface": "lo", "--range": "10.0.0.2,10.0.0.9"}
    options = ["--isolated"] + [word for pair in ({**usual, words[0]: words[1]}).items() for word in pair]
    command = [GPROV, "server", "init", str(tmp_path / "factory"), "--key-file", str(tmp_path / "key"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode in (2, 3)
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_accepts_the_service_and_finds_it_confined(tmp_path: Path) -> None:
    unit = init(tmp_path) / "gprov-server.service"
    verify = ["systemd-analyze", "verify", "--man=no", str(unit)]
    verified = subprocess.run(verify, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    # A tenth of the exposure level: 2.0 is "OK", services without any of these directives have 9.6.
    judge = ["systemd-analyze", "security", "--offline=yes", "--threshold=15", "--no-pager", str(unit)]
    judged = subprocess.run(judge, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert judged.returncode == 0, judged.stdout[-300:]


def read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


BROKEN: dict[str, tuple[Any, str]] = {
    "settings": (lambda data: (data / "server.toml").write_text("[listen]\nprot = 1"), "$.listen.prot: is not a key"),
    "access": (lambda data: (data / "server.toml").write_text(""), "does not say who may do what"),
    "rules": (lambda data: (data / "credentials.toml").write_text("[os]\nlength = 3"), "$.os.length: gives"),
    "no manufData": (lambda data: (data / "files/manufData.json").unlink(), "units cannot be provisioned"),
    "no image": (lambda data: (data / "files" / IMAGE_NAME).unlink(), "cannot be had: No such file"),
    "other image": (lambda data: (data / "files" / IMAGE_NAME).write_bytes(b"x"), "has 1 bytes, and its Size"),
    "other kernel": (
        lambda data: (data / "files/norm_boot").write_bytes(KERNEL[:-1] + b"x"),
        "has sha256",
    ),
    "no provisioning kernel": (
        lambda data: (data / "files/provision.pxe").unlink(),
        "machines that start over the network cannot be provisioned",
    ),
    "bad provisioning kernel": (
        lambda data: (data / "files/provision.pxe").write_bytes(b"no kernel"),
        "is no kernel that can be started",
    ),
    "loader": (lambda data: (data / "tftp/snponly.efi").unlink(), "machines cannot load it"),
    "dnsmasq": (lambda data: _append(data / "dnsmasq.conf", "no-such-option\n"), "dnsmasq refuses it: "),
    "interface": (
        lambda data: _append(data / "dnsmasq.conf", "", replace=("interface=lo", "interface=none0")),
        "this host has no interface none0",
    ),
    "documents": (lambda data: (data / "documents").chmod(0o755), "can be read by other users (mode 0755)"),
    "key": (lambda data: (data.parent / "server.key").chmod(0o644), "is a key with mode 0644"),
    "address": (
        lambda data: (data / "server.toml").write_text('[listen]\nhost = "192.0.2.1"\n[access]\nmode = "isolated"'),
        "no interface of this host has the address",
    ),
}


def _append(path: Path, text: str, replace: tuple[str, str] = ("", "")) -> None:
    path.write_text(path.read_text().replace(*replace) + text)


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("complete")
    built: list[str | Path] = []
    for name, content in ((IMAGE_NAME, build_image(KERNEL)), ("norm_boot", KERNEL), ("provision.pxe", KERNEL)):
        (folder / name).write_bytes(content)
        built += ["--file", folder / name]
    data = init(folder, *built)
    fill_in(data)
    return folder


NETWORK = ("loader", "dnsmasq", "interface")


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(complete: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(complete, tmp_path / "copy")
    data = tmp_path / "copy/factory"
    for path in (data / "gprov-server.service", data / "dnsmasq.conf"):
        _append(path, "", replace=(str(complete), str(tmp_path / "copy")))
    change, message = BROKEN[name]
    change(data)
    options = CheckOptions(
        folder=str(data), branding=Branding(), http=RequestsHttp(SystemClock()), network=name in NETWORK
    )
    found = [each.describe() for each in findings(options) if each.level is Level.PROBLEM]
    if name in NETWORK:  # no server runs on lo, and no DHCP server
        found = [each for each in found if "dnsmasq.conf" in each]
    assert len(found) == 1, found
    assert message in found[0]


def test_an_image_that_no_restore_takes_is_found(tmp_path: Path, artifacts: list[Path]) -> None:
    image = next(path for path in artifacts if path.name == IMAGE_NAME)
    image.write_bytes(image.read_bytes()[:-40])
    data = init(tmp_path, *(word for path in artifacts for word in ("--file", path)))
    fill_in(data)
    (found,) = problems(check(data, "--no-network", expected=1))
    assert "is no image that can be restored" in found
    assert problems(check(data, "--quick", "--no-network")) == []


def test_a_port_of_another_program_is_found(complete: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        text = (complete / "factory/server.toml").read_text()
        shutil.copytree(complete, tmp_path / "copy")
        port = other.getsockname()[1]
        (tmp_path / "copy/factory/server.toml").write_text(text.replace("port = 8901", f"port = {port}"))
        found = problems(check(tmp_path / "copy/factory", "--no-network", expected=1))
    assert any("is in use by another program" in each for each in found)


def test_entries_of_files(tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(b"abc")
    printed = gprov("manuf", "entry", "--url", "http://10.0.0.1:8901/files/", tmp_path / "a b").stdout
    # FIPS 180-2, appendix B.1
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert json.loads(printed) == [{"Src": "http://10.0.0.1:8901/files/a%20b", "Size": 3, "Sha256": digest}]


def test_signatures_are_checked(tmp_path: Path) -> None:
    data = init(tmp_path)
    (data / "files/trust.chain").write_text("{}")
    found = problems(check(data, "--no-network", "--quick", expected=1))
    assert any(each.startswith(f"{data}/files/trust.chain ") for each in found)
