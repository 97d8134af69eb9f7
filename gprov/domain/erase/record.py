"""``erase.json`` on RECOVERY: the state of an erase, from which it is resumed after a power cut.

It is written before the first change and removed after success. A record of which no disk was changed is dropped: the
system of the unit may have run since. ``FAILED`` stays until a person asks for a restore or for another erase.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.request import EraseRequest, OnFailure, ReadBack, Scheme
from gprov.domain.erase.techniques import Level, Technique
from gprov.domain.erase.variable_choice import VariableChoice, parse_choice
from gprov.domain.formats.efi.variables import VariableName
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object

E = TypeVar("E", bound=Enum)

VERSION = 1
MAX_DISKS = 256
MAX_TRIED = 32
MAX_TEXT = 1000
MAX_VARIABLES = 4096


class RecordState(Enum):
    """RUNNING: begun, not ended. FAILED: ended, and at least one disk is not erased."""

    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskProgress:
    """Progress of one disk. ``identity``: as ``Disk.identity``. ``seed``: of patterns, samples and canaries.
    ``technique``: the one that is under way, None before the first. ``completed``: it completed, and only its
    verification is missing. ``pass_number`` (from 0) and ``done``: the overwrite pass, and how many bytes of it are
    written and flushed. ``tried``: techniques that ended before. ``former``: SHA-256 digests of sampled blocks by byte
    offset, as they were before the erase."""

    identity: str
    size: int
    seed: str
    technique: Technique | None = None
    completed: bool = False
    pass_number: int = 0
    done: int = 0
    tried: tuple[TechniqueResult, ...] = ()
    former: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRecord:
    """``serial``: of the unit, "" if it is not known. ``missing``: how many of its data disks were not found so far.
    ``cleared``: both ends of all disks were cleared, so the installed system cannot have started since.
    ``variables``: of the firmware, that were to be removed; empty before that. ``summary``: for people, of a failed
    erase."""

    state: RecordState
    started_ns: int
    request: EraseRequest
    serial: str = ""
    missing: int = 0
    cleared: bool = False
    disks: tuple[DiskProgress, ...] = ()
    variables: tuple[VariableName, ...] = ()
    summary: str = ""

    def progress_of(self, identity: str, size: int) -> DiskProgress | None:
        """The progress of this disk, None if there is none, or if two disks have the same identity."""
        found = [one for one in self.disks if (one.identity, one.size) == (identity, size)]
        return found[0] if len(found) == 1 else None


def serialise_record(record: EraseRecord) -> bytes:
    """Inverse of ``parse_record``."""
    document = {
        "_comment": "gprov: an erase of this unit; it is resumed at the next start",
        "Version": VERSION,
        "State": record.state.value,
        "Started": record.started_ns,
        "Serial": record.serial.encode("utf-8", "replace").decode(),
        "Missing": record.missing,
        "Cleared": record.cleared,
        "Summary": record.summary[:MAX_TEXT],
        "Request": _request_document(record.request),
        "Disks": [_disk_document(disk) for disk in record.disks[:MAX_DISKS]],
        "Variables": [
            {"Name": name.name.encode("utf-8", "replace").decode(), "Vendor": name.vendor}
            for name in record.variables[:MAX_VARIABLES]
        ],
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def parse_record(source: str, data: bytes) -> EraseRecord:
    """``source`` names the file. Raises BadInput."""
    root = read_object(source, data)
    if root.integer("Version", required=True, minimum=1) > VERSION:
        root.problem("Version", f"is newer than {VERSION}")
    request = root.object("Request", required=True)
    record = EraseRecord(
        state=root.one_of("State", _members(RecordState), RecordState.FAILED, required=True),
        started_ns=root.integer("Started", minimum=0),
        request=_request(request) if request is not None else EraseRequest(),
        serial=root.text("Serial"),
        missing=root.integer("Missing", minimum=0, maximum=MAX_DISKS),
        cleared=root.boolean("Cleared"),
        disks=tuple(_disk(disk) for disk in root.objects("Disks", most=MAX_DISKS)),
        variables=tuple(map(_variable, root.objects("Variables", most=MAX_VARIABLES))),
        summary=root.text("Summary")[:MAX_TEXT],
    )
    return finish(source, root, record)


def _request_document(request: EraseRequest) -> Mapping[str, object]:
    return {
        "Level": request.level.value,
        "Technique": request.technique.value if request.technique is not None else "",
        "OptedIn": sorted(technique.value for technique in request.opted_in),
        "OnFailure": request.on_failure.value,
        "Scheme": request.scheme.value,
        "ReadBack": request.read_back.value,
        **({} if request.keep_raid_metadata is None else {"KeepRaidMetadata": request.keep_raid_metadata}),
        "ClearUefiVariables": request.clear_uefi_variables,
        "UefiVariables": [choice.text() for choice in request.uefi_variables],
        "ClearTpm": request.clear_tpm,
        "Unrecorded": request.unrecorded,
    }


def _request(document: JsonObject) -> EraseRequest:
    opted_in = [_technique(document, "OptedIn", text) for text in document.texts("OptedIn", most=len(Technique))]
    technique = document.text("Technique")
    return EraseRequest(
        level=document.one_of("Level", _members(Level), Level.CLEAR, required=True),
        technique=_technique(document, "Technique", technique) if technique else None,
        opted_in=frozenset(one for one in opted_in if one is not None),
        on_failure=document.one_of("OnFailure", _members(OnFailure), OnFailure.NEXT, required=True),
        scheme=document.one_of("Scheme", _members(Scheme), Scheme.STAMPED, required=True),
        read_back=document.one_of("ReadBack", _members(ReadBack), ReadBack.FULL, required=True),
        keep_raid_metadata=document.boolean("KeepRaidMetadata") if document.has("KeepRaidMetadata") else None,
        clear_uefi_variables=document.boolean("ClearUefiVariables"),
        uefi_variables=tuple(_choices(document)),
        clear_tpm=document.boolean("ClearTpm"),
        unrecorded=document.boolean("Unrecorded"),
    )


def _choices(document: JsonObject) -> Iterator[VariableChoice]:
    for text in document.texts("UefiVariables", most=MAX_VARIABLES):
        try:
            yield parse_choice(text)
        except ValueError as error:
            document.problem("UefiVariables", str(error))


def _variable(document: JsonObject) -> VariableName:
    return VariableName(document.text("Name", required=True), document.text("Vendor", required=True))


def _disk_document(disk: DiskProgress) -> Mapping[str, object]:
    return {
        "Identity": disk.identity.encode("utf-8", "replace").decode(),
        "Size": disk.size,
        "Seed": disk.seed,
        "Technique": disk.technique.value if disk.technique is not None else "",
        "Completed": disk.completed,
        "Pass": disk.pass_number,
        "Done": disk.done,
        "Tried": [
            {
                "Technique": one.technique.value,
                "Status": one.status.value,
                "Detail": one.detail.encode("utf-8", "replace").decode()[:MAX_TEXT],
            }
            for one in disk.tried[-MAX_TRIED:]
        ],
        "Former": [{"Offset": offset, "Digest": digest} for offset, digest in disk.former],
    }


def _disk(document: JsonObject) -> DiskProgress:
    technique = document.text("Technique")
    tried = (_result(one) for one in document.objects("Tried", most=MAX_TRIED))
    former = (
        (one.integer("Offset", required=True, minimum=0), one.text("Digest", required=True))
        for one in document.objects("Former", most=4096)
    )
    return DiskProgress(
        identity=document.text("Identity", required=True),
        size=document.integer("Size", required=True, minimum=0),
        seed=document.text("Seed", required=True),
        technique=_technique(document, "Technique", technique) if technique else None,
        completed=document.boolean("Completed"),
        pass_number=document.integer("Pass", minimum=0, maximum=99),
        done=document.integer("Done", minimum=0),
        tried=tuple(result for result in tried if result is not None),
        former=tuple(former),
    )


def _result(document: JsonObject) -> TechniqueResult | None:
    technique = _technique(document, "Technique", document.text("Technique", required=True))
    status = document.one_of("Status", _members(TechniqueStatus), TechniqueStatus.FAILED, required=True)
    detail = document.text("Detail")[:MAX_TEXT]
    return TechniqueResult(technique, status, detail) if technique is not None else None


def _technique(document: JsonObject, key: str, text: str) -> Technique | None:
    for technique in Technique:
        if technique.value == text:
            return technique
    document.problem(key, f"unknown technique {text!r}")
    return None


def _members(kind: type[E]) -> Mapping[str, E]:
    return {str(member.value): member for member in kind}
