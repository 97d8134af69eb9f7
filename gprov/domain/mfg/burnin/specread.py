"""Parses ``BurnIn`` of manufData.json. A key that is not known is a problem: a misspelt limit would limit nothing."""

from __future__ import annotations

from gprov.domain.formats.json.object import JsonObject
from gprov.domain.mfg.burnin.spec import BurnInSpec, CpuTest, DiskTest, Limits, MemoryTest

# A week.
_MOST_SECONDS = 7 * 24 * 3600
# Of the memory; the rest is for the kernel and the programs.
_MOST_PERCENT = 95
_MOST_COUNT = 1_000_000
_ENTRY = ("DevCodeName", "TimeLimit", "Cpu", "Memory", "Disks", "Limits")


def read_burn_in(entry: JsonObject) -> BurnInSpec:
    _only(entry, _ENTRY)
    before = len(entry.problems)
    cpu, memory = entry.object("Cpu"), entry.object("Memory")
    disks, limits = entry.object("Disks"), entry.object("Limits")
    spec = BurnInSpec(
        code_name=entry.text("DevCodeName", required=True),
        time_limit=_seconds(entry, "TimeLimit"),
        cpu=_cpu(cpu) if cpu else None,
        memory=_memory(memory) if memory else None,
        disks=_disks(disks) if disks else None,
        limits=_limits(limits) if limits else Limits(),
    )
    if len(entry.problems) == before:
        _check(entry, spec)
    return spec


def _check(entry: JsonObject, spec: BurnInSpec) -> None:
    if not (spec.cpu or spec.memory or spec.disks):
        entry.problem("", "has none of Cpu, Memory and Disks: nothing is tested")
    elif spec.time_limit <= spec.planned:
        text = f"is {spec.time_limit} s, but Cpu and Disks take {spec.planned} s: the burn-in could not end in time"
        entry.problem("TimeLimit", text)


def _cpu(entry: JsonObject) -> CpuTest:
    _only(entry, ("Seconds",))
    return CpuTest(_seconds(entry, "Seconds"))


def _memory(entry: JsonObject) -> MemoryTest:
    _only(entry, ("Percent", "Loops"))
    percent = entry.integer("Percent", 1, required=True, minimum=1, maximum=_MOST_PERCENT)
    return MemoryTest(percent, entry.integer("Loops", 1, minimum=1, maximum=1000))


def _disks(entry: JsonObject) -> DiskTest:
    _only(entry, ("Seconds", "WriteTest", "MinReadMBs", "MinWriteMBs"))
    writes = entry.boolean("WriteTest")
    if entry.has("MinWriteMBs") and not writes:
        entry.problem("MinWriteMBs", "is given, but nothing is written without WriteTest: true")
    return DiskTest(
        seconds=_seconds(entry, "Seconds"),
        writes=writes,
        min_read=_count(entry, "MinReadMBs", 1),
        min_write=_count(entry, "MinWriteMBs", 1),
    )


def _limits(entry: JsonObject) -> Limits:
    _only(entry, ("MaxTemperature", "MaxCorrectedErrors", "MaxDiskErrors"))
    hottest = entry.integer("MaxTemperature", 1, minimum=1, maximum=150) if entry.has("MaxTemperature") else None
    return Limits(
        max_temperature=hottest,
        max_corrected=_count(entry, "MaxCorrectedErrors", 0),
        max_disk_errors=_count(entry, "MaxDiskErrors", 0) or 0,
    )


def _seconds(entry: JsonObject, key: str) -> int:
    return entry.integer(key, 1, required=True, minimum=1, maximum=_MOST_SECONDS)


def _count(entry: JsonObject, key: str, least: int) -> int | None:
    return entry.integer(key, least, minimum=least, maximum=_MOST_COUNT) if entry.has(key) else None


def _only(entry: JsonObject, known: tuple[str, ...]) -> None:
    lower = {name.lower() for name in known}
    for key in entry.keys():
        if key.lower() not in lower:
            entry.problem(key, f"unknown key; known: {', '.join(known)}")
