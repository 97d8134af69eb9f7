"""gprov-nic-config and gprov-blink on virtual hardware, in a root with busybox, ethtool and ipmitool alone.

Judged by ethtool, by the kernel, and by the management controller (OpenIPMI's simulator).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.bmc import SimulatedBmc, simulated_bmc
from tests.integ.conftest import Guest
from tests.integ.image.tool_root import KINDS, add_program, make_root

pytestmark = [
    pytest.mark.vm,
    pytest.mark.nightly,
    pytest.mark.skipif(os.geteuid() != 0, reason="the guest reads all files of this machine"),
    pytest.mark.skipif(
        not all(shutil.which(tool) for tool in ("qemu-system-x86_64", "ethtool", "ipmitool", "ipmi_sim")),
        reason="needs qemu-system-x86, ethtool, ipmitool, openipmi",
    ),
]

OWN = "56:78:90:00:00"
# Several queues, one queue with its own interrupt for each direction, and a port of another maker.
PORTS = {"virtio-net-pci": f"{OWN}:03", "e1000e": f"{OWN}:01", "vmxnet3": f"{OWN}:02", "e1000": "52:54:00:00:00:01"}
FACTS = '{"NICInfo": {"SharedDiagPorts": [1], "DefaultNamesNoDiag": ["WAN", "LAN"]}}'
SCRIPT = """
set -e
cp -a {root} /tmp/root
for folder in proc sys dev; do mount --bind /$folder /tmp/root/$folder; done
tool() {{ PATH=/usr/sbin:/usr/bin chroot /tmp/root "$@"; }}
tool gprov-nic-config
tool gprov-nic-config
tool gprov-nic-config --status
for port in /sys/class/net/*; do
    name=${{port##*/}}
    echo "PORT $(cat $port/address) alias=$(cat $port/ifalias) flags=$(cat $port/flags)"
    echo "CHANNELS $(cat $port/address) $(tool ethtool -l $name 2>/dev/null | tr -s '\\t\\n' ' ')"
    for mask in $port/queues/*/*ps_cpus; do echo "MASK $(cat $port/address) ${{mask#$port/queues/}} $(cat $mask)"; done
    irqs=$port/device/msi_irqs
    [ -d $irqs ] || irqs=$port/device/../msi_irqs
    for number in $(ls $irqs 2>/dev/null); do
        echo "IRQ $(cat $port/address) $(ls /proc/irq/$number | grep -v '_\\|node\\|spurious' | tr '\\n' ' ')" \
            "$(cat /proc/irq/$number/smp_affinity_list)"
    done
done
echo "FLOWS $(cat /proc/sys/net/core/rps_sock_flow_entries)"
cat /tmp/root/run/systemd/system/irqbalance.service.d/gprov.conf
tool gprov-blink 7
tool gprov-blink --off
"""


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatedBmc]:
    with simulated_bmc(SystemProcesses(), str(tmp_path / "bmc")) as bmc:
        yield bmc


@pytest.fixture
def guest_disks(simulator: SimulatedBmc) -> list[str]:
    words = [
        *("-chardev", f"socket,id=bmc,host=127.0.0.1,port={simulator.ports.machine},reconnect=1"),
        *("-device", "ipmi-bmc-extern,id=bmc0,chardev=bmc"),
        *("-device", "isa-ipmi-kcs,bmc=bmc0"),
    ]
    for number, (model, mac) in enumerate(PORTS.items()):
        more = ",mq=on,vectors=10" if model == "virtio-net-pci" else ""
        net = "tap,queues=4,script=no,downscript=no" if more else "user"
        words += ["-netdev", f"{net},id=net{number}", "-device", f"{model},netdev=net{number},mac={mac}{more}"]
    return words


def test_ports_and_light(guest: Guest, simulator: SimulatedBmc, tmp_path: Path) -> None:
    root = make_root(tmp_path, KINDS[0])
    for program in ("ethtool", "ipmitool"):
        add_program(root, program)
    (root.config / "platform_facts.json").write_text(FACTS)
    (root.config / "nic.conf").touch()
    script = tmp_path / "script"
    script.write_text(SCRIPT.format(root=root.folder))
    console = guest("sh", str(script), seconds=400).replace("\r", "")
    (tmp_path / "console").write_text(console)

    ports = dict(re.findall(r"^PORT (\S+) (.*)$", console, re.MULTILINE))
    assert ports[PORTS["e1000e"]].startswith("alias=WAN flags=")
    assert ports[PORTS["virtio-net-pci"]].startswith("alias=LAN flags=")
    assert ports[PORTS["vmxnet3"]].startswith("alias=DIAG flags=")
    assert ports[PORTS["e1000"]].startswith("alias= flags=")
    assert f"position=1 mac={PORTS['vmxnet3']} use=diag" in console

    channels = dict(re.findall(r"^CHANNELS (\S+) (.*)$", console, re.MULTILINE))
    maximum, current = channels[PORTS["virtio-net-pci"]].split("Current hardware settings:")
    assert "Combined: 4" in maximum
    assert "Combined: 2" in current, "one for each CPU"

    masks = re.findall(r"^MASK (\S+) (\S+) (\S+)$", console, re.MULTILINE)
    found = {(mac, queue): int(mask.replace(",", ""), 16) for mac, queue, mask in masks}
    assert found[PORTS["e1000e"], "rx-0/rps_cpus"] == 3
    assert [found[PORTS["virtio-net-pci"], f"tx-{queue}/xps_cpus"] for queue in range(2)] == [1, 2]
    assert [found[PORTS["virtio-net-pci"], f"rx-{queue}/rps_cpus"] for queue in range(2)] == [0, 0]
    assert found[PORTS["e1000"], "rx-0/rps_cpus"] == 0

    assert "FLOWS 131072" in console
    assert re.search(r'IRQBALANCE_ARGS=--banirq=\d+( --banirq=\d+)+"', console)
    assert [words.split()[:2] for words in simulator.switched()] == [["identify", "7"], ["identify", "0"]]
