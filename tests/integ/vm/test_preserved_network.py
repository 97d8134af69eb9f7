"""The network configuration of a running unit survives a restore byte for byte, unless a person says otherwise."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ExtVolume, remove_flag
from tests.integ.vm.unit_disks import primary_of, recovery_of

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]

NETWORK, DEFAULTS = "/etc/systemd/network", "/etc/systemd/network-defaults"
SAVED = "/log/netd.tar"
WANTED = {
    "50-lab.network": b"[Match]\nName=nosuch0\n\n[Network]\nAddress=10.9.8.7/24\n# by hand, \xc3\xa4\n",
    "50-lab.network.d/10-dns.conf": b"[Network]\nDNS=10.9.8.1\n",
}

# A person at work on the running unit. The path unit is to notice by itself; the timer would take minutes.
SCENARIO = f"""
set -e
cd {NETWORK}
mkdir 50-lab.network.d
printf '[Network]\\nDNS=10.9.8.1\\n' >50-lab.network.d/10-dns.conf
printf '[Match]\\nName=nosuch0\\n\\n[Network]\\nAddress=10.9.8.7/24\\n# by hand, \\303\\244\\n' >new
mv new 50-lab.network
for _ in $(seq 90); do
    if [ -e /mnt/RECOVERY{SAVED} ]; then exit 0; fi
    sleep 1
done
systemctl status 'gprov-netsave*'
exit 1
"""


def configuration(root: ExtVolume, folder: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in root.names(folder):
        if name.endswith(".d"):
            found |= {
                f"{name}/{inner}": root.read(f"{folder}/{name}/{inner}") for inner in root.names(f"{folder}/{name}")
            }
        else:
            found[name] = root.read(f"{folder}/{name}")
    return found


def restored(unit: VirtualUnit, run_stage: RunStage, name: str) -> None:
    remove_flag(SystemProcesses(), unit)
    run_stage(name, unit, RESTORED)


@pytest.mark.nightly
def test_a_configuration_survives_or_is_dropped_by_option(
    debian_overlay: VirtualUnit, run_stage: RunStage, tmp_path: Path
) -> None:
    (tmp_path / "scenario").write_text(SCENARIO)
    with primary_of(debian_overlay, writable=True) as root:
        root.add(str(tmp_path / "scenario"), "/usr/lib/gprov-lab/scenario")
        defaults = configuration(root, DEFAULTS)
        assert configuration(root, NETWORK) == defaults != {}
    with recovery_of(debian_overlay) as stick:
        assert not stick.has(SAVED)  # the configuration was not changed

    started = run_stage("configure", debian_overlay, STARTED)
    assert started.system
    assert started.system.facts["outcome"] == "status 0"
    with recovery_of(debian_overlay) as stick, tarfile.open(fileobj=io.BytesIO(stick.read(SAVED))) as tar:
        members = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        saved = {name: file.read() for name, file in members.items() if file is not None}
    assert saved == defaults | WANTED

    restored(debian_overlay, run_stage, "preserved")
    with primary_of(debian_overlay) as root:
        assert configuration(root, NETWORK) == defaults | WANTED | {".config-preserved": b""}
        assert configuration(root, DEFAULTS) == defaults

    (tmp_path / "fr.data").write_text(json.dumps({"IgnoreNetCfg": True}))
    with recovery_of(debian_overlay, writable=True) as stick:
        stick.add(str(tmp_path / "fr.data"), "/fr.data")
    restored(debian_overlay, run_stage, "ignored")
    with primary_of(debian_overlay) as root, recovery_of(debian_overlay) as stick:
        assert configuration(root, NETWORK) == defaults
        assert not stick.has(SAVED)
        assert not stick.has("/fr.data")
