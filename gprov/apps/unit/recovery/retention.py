"""Removing old images and logs from the mounted RECOVERY: facts, plan, execution.

If RECOVERY cannot be read or written, a warning is reported and the flow goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.execution.executor import Executor
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.files import FileType
from gprov.domain.image.companions import image_of_companion
from gprov.domain.image.history import History
from gprov.domain.image.name import SUFFIX, ImageName, parse_image_name
from gprov.domain.image.retention import (
    PARTIAL,
    ImageFacts,
    Removal,
    StoredFile,
    StoredImage,
    plan_images,
    plan_logs,
    space_for_update,
)
from gprov.domain.plan.file_operations import RemovePath
from gprov.domain.plan.operations import Plan
from gprov.ports.files import Files

IsRefused = Callable[[ImageName], bool]


def prune_logs(executor: Executor, files: Files, context: UnitContext) -> None:
    """Remove old logs from the log folder."""
    folder = context.log_folder
    try:
        removals = plan_logs(_stored_files(files, folder))
    except DeviceFault as fault:
        context.bus.warning(f"old logs stay: {fault}")
        return
    executor.run(_removing(folder, removals))


def prune_images(
    executor: Executor,
    files: Files,
    history: History,
    protected: Iterable[str],
    context: UnitContext,
    is_refused: IsRefused = lambda _: False,
) -> None:
    """Remove old images until an update fits. ``protected``: names of files that must stay. ``is_refused``: does the
    owner of the unit not allow an image?"""
    folder = context.image_folder
    try:
        if files.status(folder) is None:
            return
        facts = image_facts(files, folder, history, frozenset(protected), context.branding)
        refused = (image.name for image in facts.images if is_refused(image.name))
        facts = replace(facts, refused=frozenset(name.filename for name in refused))
    except DeviceFault as fault:
        context.bus.warning(f"old images stay: {fault}")
        return
    executor.run(_removing(folder, plan_images(facts)))


def image_facts(
    files: Files, folder: str, history: History, protected: frozenset[str], branding: Branding
) -> ImageFacts:
    """Raises DeviceFault."""
    stored = _stored_files(files, folder)
    images: list[StoredImage] = []
    for file in stored:
        try:
            images.append(StoredImage(parse_image_name(file.name, branding.image_prefix), file.size))
        except BadInput:
            continue  # reported by the restore, when it chooses an image
    partials = tuple(file for file in stored if file.name.endswith(SUFFIX + PARTIAL) and file.name not in protected)
    return ImageFacts(
        images=tuple(images),
        partials=partials,
        companions=tuple(file for file in stored if image_of_companion(file.name)),
        history=history,
        protected=protected,
        free=files.usage(folder).free,
        required=space_for_update(images),
    )


def _stored_files(files: Files, folder: str) -> tuple[StoredFile, ...]:
    """The regular files in a folder; none if the folder does not exist."""
    if files.status(folder) is None:
        return ()
    found = ((name, files.status(f"{folder}/{name}")) for name in files.names(folder))
    return tuple(
        StoredFile(name, status.size) for name, status in found if status is not None and status.type is FileType.FILE
    )


def _removing(folder: str, removals: Iterable[Removal]) -> Plan:
    return tuple(RemovePath(f"{folder}/{removal.name}", required=False, reason=removal.reason) for removal in removals)
