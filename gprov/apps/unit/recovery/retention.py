"""Removing old images and logs from the mounted RECOVERY: facts, plan, execution.

If RECOVERY cannot be read or written, a warning is reported and the flow goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.execution.executor import Executor
from gprov.apps.unit.recovery.stored_images import IsRefused, image_facts, stored_files
from gprov.domain.errors import DeviceFault
from gprov.domain.image.history import History
from gprov.domain.image.retention import Removal, plan_images, plan_logs
from gprov.domain.plan.file_operations import RemovePath
from gprov.domain.plan.operations import Plan
from gprov.ports.files import Files


def prune_logs(executor: Executor, files: Files, context: UnitContext) -> None:
    """Remove old logs from the log folder."""
    folder = context.log_folder
    try:
        removals = plan_logs(stored_files(files, folder))
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


def _removing(folder: str, removals: Iterable[Removal]) -> Plan:
    return tuple(RemovePath(f"{folder}/{removal.name}", required=False, reason=removal.reason) for removal in removals)
