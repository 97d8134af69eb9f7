"""Faults and lies of simulated drives and bridges."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveFaults:
    """Of any drive. ``aborts``: operation codes that fail (ATA commands of an ATA drive, SCSI commands of a SCSI
    drive). ``aborts_numbers``: commands that fail, ``loses_numbers``: commands that are carried out but not replied
    to, both counted from 1. ``dies_at``: fraction of an erase at which the drive stops to answer until its next power
    cycle. ``erase_does_nothing``: it reports success, and the data stay. ``sanitize_fails``: at its end."""

    aborts: frozenset[int] = frozenset()
    aborts_numbers: frozenset[int] = frozenset()
    loses_numbers: frozenset[int] = frozenset()
    dies_at: float | None = None
    erase_does_nothing: bool = False
    sanitize_fails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AtaFaults(DriveFaults):
    """Further ones of ATA drives and of the firmware of their machine. ``locked_by``: password of a stranger;
    ``enabled_by``: the same, but unlocked since power-on. ``keeps_password``: ERASE UNIT ends without error and keeps
    the password."""

    frozen_at_power_on: bool = False
    sanitize_frozen_at_power_on: bool = False
    locked_by: bytes | None = None
    enabled_by: bytes | None = None
    keeps_password: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeFaults:
    """Of a bridge before an ATA drive. ``drops_registers``: no ATA Status Return descriptor. ``fixed_sense``: sense
    data of fixed format. ``refuses_disable``: number of DISABLE PASSWORD commands that it fails. ``swallows``: ATA
    commands that it answers with GOOD without passing them on. ``stale_identify``: it returns the IDENTIFY DEVICE data
    that it read first. ``no_pass_through``: it has no ATA PASS-THROUGH. ``hides_sectors``: at the end."""

    drops_registers: bool = False
    fixed_sense: bool = False
    refuses_disable: int = 0
    swallows: frozenset[int] = frozenset()
    stale_identify: bool = False
    no_pass_through: bool = False
    hides_sectors: int = 0


NO_FAULTS = DriveFaults()
NO_ATA_FAULTS = AtaFaults()
NO_BRIDGE_FAULTS = BridgeFaults()
