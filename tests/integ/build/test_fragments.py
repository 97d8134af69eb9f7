"""Shipped fragments and wrong ones, against Kconfig of the real kernel source. Nothing is compiled."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.builds import Builder, Initramfs
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.kconfig import MODULE, parse_config
from gprov.apps.host.initramfs.kernel_settings import KernelChoice, configuration, shipped_choice, shipped_fragments
from gprov.apps.host.initramfs.kernel_source import configure, unpacked_source
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.domain.errors import BadInput, RefusedByPolicy
from tests.unit.build.test_kernel import Toolchain

CHECKOUT = Path(__file__).parents[3]
FOLDER = str(CHECKOUT / "buildroot/kernel")
PROCESSES = SystemProcesses()


@pytest.fixture(scope="module")
def source() -> str:
    return unpacked_source(PROCESSES, Cache(default_root(os.environ)), BuildProgress(sys.stderr))


def configured(source: str, work: Path, fragments: list[str], *, modules: bool) -> dict[str, str]:
    """The final configuration."""
    shipped = shipped_choice(FOLDER)
    choice = KernelChoice(shipped.settings.with_options(fragments, modules, [], None), shipped.base, FOLDER)
    configure(PROCESSES, source, str(work), configuration(choice).settings)
    return dict(parse_config((work / ".config").read_text(), ".config"))


def test_the_fragment_fleet_needs_no_modules(source: str, tmp_path: Path) -> None:
    """Kconfig applies every symbol; else the configuration is refused."""
    result = configured(source, tmp_path, ["fleet"], modules=False)
    assert MODULE not in result.values()


def test_all_shipped_fragments_together(source: str, tmp_path: Path) -> None:
    result = configured(source, tmp_path, shipped_fragments(FOLDER), modules=True)
    assert MODULE in result.values()


def test_what_kconfig_does_not_apply_is_told_with_its_line(source: str, tmp_path: Path) -> None:
    """A misspelt name, a missing dependency (CONFIG_SECURITY), and a symbol that others select."""
    own = tmp_path / "own.config"
    own.write_text("CONFIG_WIREGARD=y\n\nCONFIG_SECURITY_APPARMOR=y\n# CONFIG_FW_LOADER is not set\nCONFIG_TUN=y\n")
    with pytest.raises(BadInput) as caught:
        configured(source, tmp_path, [str(own)], modules=False)
    assert caught.value.details() == (
        f"{own}:1: CONFIG_WIREGARD: requested y, final configuration: n",
        f"{own}:3: CONFIG_SECURITY_APPARMOR: requested y, final configuration: n",
        f"{own}:4: CONFIG_FW_LOADER: requested n, final configuration: y",
    )


# What programs ask of a kernel, beyond what the base has for systemd 252. Sources: contrib/check-config.sh of moby
# (necessary and optional), the preflight checks of Kubernetes, README of systemd, documentation of libvirt.
ASKED = """
NAMESPACES NET_NS PID_NS IPC_NS UTS_NS USER_NS CGROUPS CGROUP_CPUACCT CGROUP_DEVICE CGROUP_FREEZER CGROUP_SCHED CPUSETS
MEMCG KEYS VETH BRIDGE BRIDGE_NETFILTER IP_NF_FILTER IP_NF_MANGLE IP_NF_TARGET_MASQUERADE IP6_NF_FILTER IP6_NF_MANGLE
IP6_NF_TARGET_MASQUERADE NETFILTER_XT_MATCH_ADDRTYPE NETFILTER_XT_MATCH_CONNTRACK NETFILTER_XT_MATCH_IPVS
NETFILTER_XT_MARK IP_NF_RAW IP_NF_NAT NF_NAT IP6_NF_RAW IP6_NF_NAT POSIX_MQUEUE CGROUP_BPF SECCOMP SECCOMP_FILTER
CGROUP_PIDS CGROUP_HUGETLB BLK_CGROUP BLK_DEV_THROTTLING CGROUP_PERF NET_CLS_CGROUP CGROUP_NET_PRIO CFS_BANDWIDTH
FAIR_GROUP_SCHED IP_NF_TARGET_REDIRECT IP_VS IP_VS_NFCT IP_VS_PROTO_TCP IP_VS_PROTO_UDP IP_VS_RR SECURITY_SELINUX
SECURITY_APPARMOR EXT4_USE_FOR_EXT2 EXT4_FS_POSIX_ACL EXT4_FS_SECURITY VXLAN BRIDGE_VLAN_FILTERING CRYPTO CRYPTO_AEAD
CRYPTO_GCM CRYPTO_SEQIV CRYPTO_GHASH XFRM XFRM_USER XFRM_ALGO INET_ESP NETFILTER_XT_MATCH_BPF IPVLAN MACVLAN DUMMY
NF_NAT_FTP NF_CONNTRACK_FTP NF_NAT_TFTP NF_CONNTRACK_TFTP OVERLAY_FS
AUDIT BPF_SYSCALL INET NETFILTER_XT_MATCH_COMMENT NETFILTER_XT_MATCH_STATISTIC FAIR_GROUP_SCHED
NET_SCHED NET_SCH_FQ_CODEL PSI BINFMT_MISC DM_VERITY DM_CRYPT SECURITYFS
KVM VHOST_NET MACVTAP TUN DM_SNAPSHOT DM_THIN_PROVISIONING NET_CLS_U32 NET_SCH_HTB NET_SCH_INGRESS NET_ACT_POLICE
"""


def test_the_fragment_server_has_what_programs_ask_for(source: str, tmp_path: Path) -> None:
    """Also what Kconfig selects without being asked. It needs no modules."""
    result = configured(source, tmp_path, ["server"], modules=False)
    assert MODULE not in result.values()
    assert [symbol for symbol in ASKED.split() if result.get(f"CONFIG_{symbol}", "n") == "n"] == []


def test_a_kernel_above_its_budget_is_refused_after_it_was_built(tmp_path: Path) -> None:
    """Nothing is compiled here either: the toolchain only pretends."""
    builds = Builder(Toolchain(), Cache(str(tmp_path)), BuildProgress(sys.stderr))
    shipped = shipped_choice(FOLDER)
    initramfs = Initramfs(b"", 0, ())
    built = builds.kernel(shipped, initramfs, 7, 1)
    assert built.size == Path(built.files.image).stat().st_size
    small = KernelChoice(shipped.settings.with_options([], None, [], (built.size - 1) / 1e6), shipped.base, FOLDER)
    with pytest.raises(RefusedByPolicy, match="its budget is 0"):
        builds.kernel(small, initramfs, 7, 1)
