"""Which disks of a bench machine an erase covers. Those of the running system are never among them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from gprov.apps.host.erase.container import BenchContainer
from gprov.apps.unit.devices.excluded_disks import current_excluded_disks
from gprov.domain.disk.model import Disk
from gprov.domain.erase.scope import LeftOut, Scope, chosen_scope, scope_of_unknown_platform
from gprov.domain.errors import DeviceMissing


def bench_scope(container: BenchContainer, nodes: Sequence[str]) -> Scope:
    """``nodes``: device files, or links to them; without any: all built-in disks that are not in use. Raises
    DeviceMissing for what is not a disk."""
    disks = container.blocks().disks()
    wanted = [_node_of(node, disks) for node in nodes]
    excluded = dict(current_excluded_disks(container.volume_ports(), disks, None, container.bus()))
    for disk in disks:
        # A disk that was not asked for is not opened: that could disturb a program that is about to use it.
        asked_for = disk.node in wanted or not nodes
        if asked_for and disk.device not in excluded and (reason := container.usage().reason(disk)):
            excluded[disk.device] = reason
    return chosen_scope(disks, excluded, wanted) if nodes else scope_of_unknown_platform(disks, excluded)


def refused(scope: Scope, nodes: Sequence[str]) -> tuple[LeftOut, ...]:
    """Disks that were asked for and that must not be erased."""
    wanted = {os.path.realpath(node) for node in nodes}
    return tuple(one for one in scope.left_out if one.disk.node in wanted)


def _node_of(node: str, disks: Sequence[Disk]) -> str:
    real = os.path.realpath(node)
    if all(disk.node != real for disk in disks):
        raise DeviceMissing(node, f"is no whole disk of this machine{_hint(real, disks)}")
    return real


def _hint(real: str, disks: Sequence[Disk]) -> str:
    if os.path.isfile(real):
        return ": a regular file; losetup makes a loop device of it"
    whole = [disk.node for disk in disks if re.fullmatch(re.escape(disk.node) + "p?[0-9]+", real)]
    return f": a partition; name {max(whole, key=len)}" if whole else ""


def confirmation_word(disk: Disk, present: Sequence[Disk]) -> str:
    """What a person must type to confirm the erase of a disk: its serial number, or its device file if it states none
    or if another disk has the same."""
    same = [other for other in present if other.serial == disk.serial]
    return disk.serial if disk.serial and len(same) == 1 else disk.node
