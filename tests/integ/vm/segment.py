"""Further stations on the lab's network, each in a network namespace of its own, and programs that run there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.namespace import BRIDGE, FactoryNetwork, factory_network


class Segment:
    """The lab's network with one wire for a machine. ``folder`` gets configurations and logs; ``stack`` ends
    everything."""

    def __init__(self, network: FactoryNetwork, folder: Path, stack: ExitStack) -> None:
        self.network, self.folder, self.stack = network, folder, stack

    @staticmethod
    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    def namespace(self, name: str) -> str:
        """A new namespace without interfaces; returns its full name."""
        full = f"{self.network.name}-{name}"
        self.ip("netns", "add", full)
        self.stack.callback(self.ip, "netns", "del", full)
        return full

    def station(self, name: str, address: str) -> str:
        """A station on the network, with this address on its interface eth0; returns its namespace."""
        namespace = self.namespace(name)
        self.ip(
            "-n", self.network.name, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", namespace
        )
        self.ip("-n", self.network.name, "link", "set", name, "master", BRIDGE, "up")
        self.address(namespace, "eth0", address)
        return namespace

    def address(self, namespace: str, interface: str, address: str) -> None:
        self.ip("-n", namespace, "addr", "add", f"{address}/24", "dev", interface)
        self.ip("-n", namespace, "link", "set", interface, "up")

    def dnsmasq(self, name: str, namespace: str, configuration: str) -> None:
        file = self.folder / f"{name}.conf"
        file.write_text(configuration)
        argv = ["dnsmasq", "--keep-in-foreground", f"--conf-file={file}", "--user=root", "--no-ping"]
        argv += ["--log-facility=-", f"--dhcp-leasefile={self.folder}/{name}.leases"]
        self.start(name, namespace, [*argv, f"--pid-file={self.folder}/{name}.pid"], "started")

    def start(self, name: str, namespace: str, argv: list[str], ready: str) -> None:
        """Run a program until the end; returns when it has said ``ready``."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            running = self.stack.enter_context(
                subprocess.Popen(["ip", "netns", "exec", namespace, *argv], stdout=output, stderr=output)
            )
        self.stack.callback(running.kill)
        end = time.monotonic() + 20
        while ready not in log.read_text():
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@contextmanager
def new_segment(folder: Path) -> Iterator[Segment]:
    with ExitStack() as stack:
        network = stack.enter_context(factory_network(SystemProcesses(), 1))
        yield Segment(network, folder, stack)
