"""What a controller reports that decides which techniques can be used, gathered with commands that only read."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.nvme.requests import (
    Unanswered,
    read_controller,
    read_namespace,
    read_namespace_list,
    read_sanitize_log,
)
from gprov.domain.formats.nvme.commands import Identify
from gprov.domain.formats.nvme.controller import Controller
from gprov.domain.formats.nvme.namespace import LIST_LENGTH, Namespace
from gprov.domain.formats.nvme.sanitize_log import SanitizeLog

# Drives have at most some hundred namespaces. More lists than this are a fault of the drive.
_MAX_LISTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveFacts:
    """``in_scope``: the data of the namespace ``number`` may be destroyed. ``others``: numbers of the drive's
    namespaces whose data may not be destroyed. ``log``: None if the controller has no Sanitize command."""

    number: int
    in_scope: bool
    controller: Controller
    namespace: Namespace
    others: tuple[int, ...] | Unanswered
    log: SanitizeLog | Unanswered | None


def gather(number: int, in_scope: frozenset[int]) -> Protocol[DriveFacts | Unanswered]:
    """``number``: the namespace. ``in_scope``: the namespaces of this drive whose data may be destroyed."""
    controller = yield from read_controller()
    if isinstance(controller, Unanswered):
        return controller
    namespace = yield from read_namespace(number)
    if isinstance(namespace, Unanswered):
        return namespace
    present = yield from _present(controller, number)
    others = present if isinstance(present, Unanswered) else tuple(sorted(present - in_scope))
    log = (yield from read_sanitize_log()) if controller.sanicap else None
    return DriveFacts(
        number=number,
        in_scope=number in in_scope,
        controller=controller,
        namespace=namespace,
        others=others,
        log=log,
    )


def _present(controller: Controller, number: int) -> Protocol[frozenset[int] | Unanswered]:
    """Namespaces of the drive. Those that are not attached to this controller hold data as well; only controllers with
    namespace management list them. Controllers before NVMe 1.1 have no list; one with a single possible number has a
    single namespace."""
    found: set[int] = set()
    kinds = [Identify.ACTIVE_NAMESPACES]
    if controller.has_namespace_management:
        kinds.append(Identify.ALLOCATED_NAMESPACES)
    for kind in kinds:
        numbers = yield from _all_numbers(kind)
        if isinstance(numbers, Unanswered):
            return frozenset({number}) if controller.namespaces == number == 1 else numbers
        found.update(numbers)
    if number not in found:
        return Unanswered(f"the list of namespaces does not contain namespace {number}")
    return frozenset(found)


def _all_numbers(kind: Identify) -> Protocol[tuple[int, ...] | Unanswered]:
    found: list[int] = []
    for _ in range(_MAX_LISTS):
        after = found[-1] if found else 0
        numbers = yield from read_namespace_list(kind, after)
        if isinstance(numbers, Unanswered):
            return numbers
        if numbers and numbers[0] <= after:
            return Unanswered("the list of namespaces begins again")
        found.extend(numbers)
        if len(numbers) < LIST_LENGTH:
            return tuple(found)
    return Unanswered("the list of namespaces does not end")
