"""Removing old images and logs from the mounted RECOVERY: facts, plan, execution.

A RECOVERY that does not let itself be cleaned is reported and stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from gprov.apps.unit.execution.executor import Executor, Tools
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.files import FileType
from gprov.domain.image.history import History
from gprov.domain.image.name import SUFFIX, parse_image_name
from gprov.domain.image.retention import (
    PARTIAL,
    ImageFacts,
    Removal,
    StoredFile,
    StoredImage,
    plan_images,
    plan_logs,
    room_for_an_update,
)
from gprov.domain.plan.file_operations import RemovePath
from gprov.domain.plan.operations import Plan
from gprov.ports.files import Files


def prune_logs(tools: Tools, folder: str, bus: EventBus, current: str = "") -> None:
    """``current``: path of the log that is being written."""
    try:
        removals = plan_logs(_stored(tools.files, folder), current=current.rpartition("/")[2])
    except DeviceFault as fault:
        bus.warning(f"old logs stay: {fault}")
        return
    Executor(tools, bus).run(_removing(folder, removals))


def prune_images(
    tools: Tools,
    folder: str,
    history: History,
    protected: Iterable[str],
    branding: Branding,
    bus: EventBus,
    wanted: int | None = None,
) -> None:
    """``protected``: names of files that stay. ``wanted``: bytes that shall be free; by default room for an update."""
    try:
        if tools.files.status(folder) is None:
            return
        facts = image_facts(tools.files, folder, history, frozenset(protected), branding, wanted)
    except DeviceFault as fault:
        bus.warning(f"old images stay: {fault}")
        return
    Executor(tools, bus).run(_removing(folder, plan_images(facts)))


def image_facts(
    files: Files, folder: str, history: History, protected: frozenset[str], branding: Branding, wanted: int | None
) -> ImageFacts:
    """Raises DeviceFault."""
    stored = _stored(files, folder)
    images: list[StoredImage] = []
    for file in stored:
        try:
            images.append(StoredImage(parse_image_name(file.name, branding.image_prefix), file.size))
        except BadInput:
            continue  # a restore tells of those
    partials = tuple(file for file in stored if file.name.endswith(SUFFIX + PARTIAL) and file.name not in protected)
    room = room_for_an_update(images) if wanted is None else wanted
    return ImageFacts(
        images=tuple(images),
        partials=partials,
        history=history,
        protected=protected,
        free=files.usage(folder).free,
        wanted=room,
    )


def _stored(files: Files, folder: str) -> tuple[StoredFile, ...]:
    """The plain files in a folder; none if it is not there."""
    if files.status(folder) is None:
        return ()
    found = ((name, files.status(f"{folder}/{name}")) for name in files.names(folder))
    return tuple(
        StoredFile(name, status.size) for name, status in found if status is not None and status.type is FileType.FILE
    )


def _removing(folder: str, removals: Iterable[Removal]) -> Plan:
    return tuple(RemovePath(f"{folder}/{one.name}", required=False, reason=one.reason) for one in removals)
