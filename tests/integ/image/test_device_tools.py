"""Tools for devices: display (a pseudo-terminal), ports (files as in sysfs), core dumps (a web server) and light.

With devices of virtual machines: test_tools_in_vm.py.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.domain.formats.lcd.models import Model
from tests.integ.image.tool_root import KINDS, ToolRoot, add_program, capable, make_root
from tests.integ.lcd.peer import Peer
from tests.unit.lcd.toy_display import ToyDisplay

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not capable(), reason="needs root, busybox, unshare"),
]


@pytest.fixture(params=KINDS)
def root(tmp_path: Path, request: pytest.FixtureRequest) -> ToolRoot:
    return make_root(tmp_path, request.param)


def add_line(path: Path, line: str) -> None:
    path.write_text(f"{path.read_text()}{line}\n")


# --- display ---


def shown(root: ToolRoot, display: ToyDisplay, *words: str) -> str:
    """What the tool printed; it ended in exit status 0."""
    peer = Peer.of(display)
    try:
        peer.plug(root.folder.parent / "ttyUSB0")
        device = str((root.folder.parent / "ttyUSB0").readlink())
        return root.output("gprov-lcd-message", "--device", device, *words)
    finally:
        peer.unplug()


@pytest.mark.parametrize("model", Model)
def test_text_is_on_the_display(root: ToolRoot, model: Model) -> None:
    display = ToyDisplay(model)
    assert shown(root, display, "Maintenance", "until 12:00") == ""
    blank = [" " * model.columns] * (model.rows - 2)
    assert display.lines() == ["Maintenance".ljust(20), "until 12:00".ljust(20), *blank]


def test_a_long_line_goes_on_in_the_next_row(root: ToolRoot) -> None:
    display = ToyDisplay()
    shown(root, display, "a line of thirty-five characters…", "100% \\ done")
    assert display.lines()[:3] == ["a line of thirty-fiv", "e characters?".ljust(20), "100% \\ done".ljust(20)]


def test_all_of_ascii_is_shown_as_it_is(root: ToolRoot) -> None:
    display = ToyDisplay()
    printable = "".join(chr(code) for code in range(32, 127) if chr(code) != "`")  # the displays have none
    shown(root, display, printable[:80])
    assert "".join(display.lines()) == printable[:80]
    shown(root, display, printable[60:])
    assert "".join(display.lines()).rstrip() == printable[60:]


def test_the_display_is_cleared(root: ToolRoot) -> None:
    display = ToyDisplay()
    shown(root, display, "--clear")
    assert display.lines() == [" " * 20] * 4


def refused(root: ToolRoot, answer: ToyDisplay | None, *words: str) -> tuple[int, str]:
    peer = Peer.of(answer) if answer is not None else Peer(lambda _: b"")
    try:
        peer.plug(root.folder.parent / "ttyUSB0")
        device = str((root.folder.parent / "ttyUSB0").readlink())
        done = root.run("gprov-lcd-message", "--device", device, *words)
        return done.returncode, done.stderr
    finally:
        peer.unplug()


def test_what_a_display_does_not_show_is_said(root: ToolRoot) -> None:
    small = ToyDisplay(Model.CFA_631)
    assert refused(root, small, "1", "2", "3") == (
        1,
        "gprov-lcd-message: the text needs 3 rows; the display has 2\n",
    )
    assert small.lines()[0].startswith("Crystalfontz"), "nothing was changed"
    status, text = refused(root, None, "text")
    assert (status, "does not answer" in text) == (3, True)
    status, text = refused(root, ToyDisplay(version=b"Printer 7"), "text")
    assert (status, "no CFA-631 or CFA-635" in text) == (3, True)
    assert root.run("gprov-lcd-message", "text").returncode == 3, "no display is attached"
    assert root.run("gprov-lcd-message").returncode == 2


# --- network ports ---

OWN = ("56:78:90:00:00:01", "56:78:90:00:00:02", "56:78:90:00:00:03")


def port(root: ToolRoot, name: str, mac: str, *, rx: int = 2, tx: int = 2, irqs: int = 0) -> Path:
    """A network interface in files."""
    path = root.sys / "class/net" / name
    for kind, count in (("rx", rx), ("tx", tx)):
        for number in range(count):
            queue = path / "queues" / f"{kind}-{number}"
            queue.mkdir(parents=True)
            for file in ("rps_cpus", "rps_flow_cnt") if kind == "rx" else ("xps_cpus",):
                (queue / file).touch()
    (path / "device/msi_irqs").mkdir(parents=True)
    for number in range(irqs):
        (path / f"device/msi_irqs/{number}").touch()
    (path / "device/remove").touch()
    (path / "address").write_text(f"{mac}\n")
    (path / "flags").write_text("0x1003\n")
    (path / "ifalias").touch()
    return path


@pytest.fixture
def ports(root: ToolRoot) -> dict[str, Path]:
    """Three own ports in another order than their MACs, one of another maker, and a radio."""
    (root.sys / "devices/system/cpu").mkdir(parents=True)
    (root.sys / "devices/system/cpu/online").write_text("0-2,34\n")
    info = {"SharedDiagPorts": [1], "WANIndex": 0, "DefaultNamesNoDiag": ["WAN 1"]}
    (root.config / "platform_facts.json").write_text(json.dumps({"NICInfo": info}))
    (root.config / "nic.conf").write_text("# test\nchannels=leave\nrss=no\nrps=auto\nrfs=1000\n")
    made = {"eth2": port(root, "eth2", OWN[0]), "eth0": port(root, "eth0", OWN[1])}
    made |= {"eth1": port(root, "eth1", OWN[2], rx=1, tx=5), "other": port(root, "other", "00:11:22:00:00:01")}
    made["wlan0"] = port(root, "wlan0", "56:78:90:00:00:00")
    (made["wlan0"] / "wireless").mkdir()
    # /proc/sys/net/core must not be that of this machine.
    (root.folder / "flows").touch()
    root.mounts.append(f"mount --bind {root.folder}/flows {root.folder}/proc/sys/net/core/rps_sock_flow_entries")
    return made


def text(path: Path) -> str:
    return path.read_text().strip()


def test_ports_are_configured_by_the_order_of_their_macs(root: ToolRoot, ports: dict[str, Path]) -> None:
    root.output("gprov-nic-config")
    assert {name: text(path / "ifalias") for name, path in ports.items()} == {
        "eth2": "WAN 1",
        "eth0": "DIAG",
        "eth1": "Port 2",
        "other": "",
        "wlan0": "",
    }
    assert text(ports["eth0"] / "flags") == "0x1002"
    assert text(ports["eth2"] / "flags") == "0x1003"
    assert text(root.folder / "flows") == "1000"
    drop_in = (root.folder / "run/systemd/network/00-gprov-diag-eth0.network").read_text()
    assert f"MACAddress={OWN[1]}\n" in drop_in
    assert "ActivationPolicy=always-down\n" in drop_in


def test_queues_are_spread_over_the_cpus(root: ToolRoot, ports: dict[str, Path]) -> None:
    """CPUs 0, 1, 2 and 34: a mask has two words."""
    root.output("gprov-nic-config")
    first, last = ports["eth2"] / "queues", ports["eth1"] / "queues"
    assert [text(first / f"rx-{number}/rps_flow_cnt") for number in range(2)] == ["500", "500"]
    assert text(first / "rx-0/rps_cpus") == "", "each queue has its interrupt"
    assert text(last / "rx-0/rps_cpus") == "00000004,00000007"
    assert [text(first / f"tx-{number}/xps_cpus") for number in range(2)] == ["00000000,00000005", "00000004,00000002"]
    masks = [text(last / f"tx-{number}/xps_cpus") for number in range(5)]
    assert masks[:4] == ["00000000,00000001", "00000000,00000002", "00000000,00000004", "00000004,00000000"]
    assert masks[4] == masks[0], "more queues than CPUs"
    assert text(ports["eth0"] / "queues/rx-0/rps_flow_cnt") == "", "the port for diagnosis is left alone"


def test_a_removed_port_does_not_change_the_positions_of_the_others(root: ToolRoot, ports: dict[str, Path]) -> None:
    add_line(root.config / "nic.conf", "diag=remove")
    root.output("gprov-nic-config")
    assert text(ports["eth0"] / "device/remove") == "1"
    shutil.rmtree(ports["eth0"])  # as the kernel does
    for path in ports.values():
        if path.exists():
            (path / "ifalias").write_text("")
    root.output("gprov-nic-config")
    assert text(ports["eth1"] / "ifalias") == "Port 2"
    assert root.output("gprov-nic-config", "--status").splitlines() == [
        f"position=0 mac={OWN[0]} use=port port=eth2 up=1 rx=2 tx=2 alias=WAN 1",
        f"position=1 mac={OWN[1]} use=diag port=",
        f"position=2 mac={OWN[2]} use=port port=eth1 up=1 rx=1 tx=5 alias=Port 2",
    ]


def test_prefixes_of_the_platform(root: ToolRoot, ports: dict[str, Path]) -> None:
    facts = {"NICInfo": {"SharedDiagPorts": [], "DefaultNamesNoDiag": [], "MACPrefix": ["00:11:22"]}}
    (root.config / "platform_facts.json").write_text(json.dumps(facts))
    root.output("gprov-nic-config")
    assert text(ports["other"] / "ifalias") == "Port 1"
    assert text(ports["eth0"] / "ifalias") == ""
    (root.folder / "run/gprov-nic-config.macs").unlink()
    facts["NICInfo"]["MACPrefix"] = ["99:99:99"]
    (root.config / "platform_facts.json").write_text(json.dumps(facts))
    done = root.run("gprov-nic-config")
    assert (done.returncode, "no port of this unit" in done.stderr) == (3, True)


def test_any_port_is_the_unit_s_own_in_any_folder(root: ToolRoot, ports: dict[str, Path]) -> None:
    """The prefix * is no pattern for names of files."""
    facts = {"NICInfo": {"SharedDiagPorts": [], "DefaultNamesNoDiag": [], "MACPrefix": ["*"]}}
    (root.config / "platform_facts.json").write_text(json.dumps(facts))
    root.output("gprov-nic-config")
    assert [text(ports[name] / "ifalias") for name in ("other", "eth2")] == ["Port 1", "Port 2"]


@pytest.mark.parametrize("line", ["diag=off", "rfs=many", "channels=", "channels=0", "colour=blue", "rss=maybe"])
def test_a_wrong_setting_changes_nothing(root: ToolRoot, ports: dict[str, Path], line: str) -> None:
    add_line(root.config / "nic.conf", line)
    done = root.run("gprov-nic-config")
    assert done.returncode == 3
    assert line.partition("=")[0] in done.stderr
    assert [text(path / "ifalias") for path in ports.values()] == [""] * 5


def test_ethtool_is_needed_for_channels_alone(tmp_path: Path) -> None:
    root = make_root(tmp_path, KINDS[0])
    done = root.run("gprov-nic-config")
    assert (done.returncode, "needs the program ethtool" in done.stderr) == (3, True)


# --- light ---


def test_the_light_needs_ipmitool_and_a_management_controller(tmp_path: Path) -> None:
    root = make_root(tmp_path, KINDS[0])
    done = root.run("gprov-blink", "5")
    assert (done.returncode, "needs the program ipmitool" in done.stderr) == (3, True)
    add_program(root, "ipmitool")
    done = root.run("gprov-blink", "5")
    assert (done.returncode, "no /dev/ipmi0" in done.stderr) == (3, True)
    for wrong in ("0", "-1", "86401", "1000000", "x"):
        assert root.run("gprov-blink", wrong).returncode == 2


# --- core dumps ---


class Store(ThreadingHTTPServer):
    """Keeps what is put, by path; refuses names that contain ``refuse``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Put)
        self.content: dict[str, bytes] = {}
        self.authorization: set[str] = set()
        self.refuse = "\0"
        self.status = 403


class Put(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        store = self.server
        assert isinstance(store, Store)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        refused = store.refuse in self.path
        if not refused:
            store.content[self.path] = body
            store.authorization.add(self.headers.get("Authorization", ""))
        self.send_response(store.status if refused else 201)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def dumps(root: ToolRoot, store: Store) -> Path:
    folder = root.folder / "var/lib/systemd/coredump"
    folder.mkdir(parents=True)
    for name in ("core.sh.0.aa.12.zst", "core.a\\x2fb c.1.zst"):
        (folder / name).write_bytes(name.encode() * 1000)
    (folder / ".#core.unfinished").touch()
    (root.config / "coredump.conf").write_text(f"url=http://127.0.0.1:{store.server_port}/dumps/\n")
    (root.config / "platform_facts.json").write_text('{"Serial": "GP 7/x"}')
    if root.kind == KINDS[0]:
        add_program(root, "curl")
    return folder


def test_core_dumps_are_uploaded_and_removed(root: ToolRoot, store: Store) -> None:
    folder = dumps(root, store)
    assert root.output("gprov-coredump-upload", "--status").splitlines() == [
        "core.a\\x2fb c.1.zst",
        "core.sh.0.aa.12.zst",
    ]
    (root.config / "curl").write_text('user = "unit:secret"\n')
    add_line(root.config / "coredump.conf", "curl=/etc/provisioning/curl")
    assert len(root.output("gprov-coredump-upload").splitlines()) == 2
    assert store.content == {
        "/dumps/GP%207%2Fx/core.sh.0.aa.12.zst": b"core.sh.0.aa.12.zst" * 1000,
        "/dumps/GP%207%2Fx/core.a%5Cx2fb%20c.1.zst": b"core.a\\x2fb c.1.zst" * 1000,
    }
    assert store.authorization == {"Basic dW5pdDpzZWNyZXQ="}
    assert [path.name for path in folder.iterdir()] == [".#core.unfinished"]
    assert root.output("gprov-coredump-upload") == ""


def test_names_that_curl_would_take_for_patterns(root: ToolRoot, store: Store) -> None:
    """A program may call itself so."""
    folder = dumps(root, store)
    names = ("core.a[1].0.zst", "core.{sh,b}.0.zst")
    for name in names:
        (folder / name).write_bytes(name.encode())
    assert len(root.output("gprov-coredump-upload").splitlines()) == 4
    assert set(names) <= {content.decode() for content in store.content.values()}


@pytest.mark.parametrize("status", [403, 302])
def test_what_the_server_refuses_stays(root: ToolRoot, store: Store, status: int) -> None:
    """A portal that answers each request with a redirection has stored nothing."""
    folder = dumps(root, store)
    store.status = status
    store.refuse = ".sh."
    done = root.run("gprov-coredump-upload")
    assert done.returncode == 3
    assert "core.sh.0.aa.12.zst is not uploaded" in done.stderr
    assert (folder / "core.sh.0.aa.12.zst").exists()
    assert len(store.content) == 1


@pytest.mark.parametrize("line", ["url=ftp://x/", "url=", "colour=blue", 'url=http://x/"y', "curl=/missing"])
def test_a_wrong_configuration_is_said(root: ToolRoot, store: Store, line: str) -> None:
    folder = dumps(root, store)
    add_line(root.config / "coredump.conf", line)
    assert root.run("gprov-coredump-upload").returncode == 3
    assert len(list(folder.iterdir())) == 3
    (root.config / "coredump.conf").unlink()
    assert root.run("gprov-coredump-upload").returncode == 3
