"""Exceptions of gprov. The class determines how callers react; fields hold the facts.

``str(error)`` is one sentence for a message. ``error.details()`` are further lines for the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar

from typing_extensions import override


class ExitCode(IntEnum):
    """Exit status of every command."""

    DONE = 0
    NEGATIVE = 1
    USAGE = 2
    ENVIRONMENT = 3


class GprovError(Exception):
    """Base class of all exceptions that gprov raises deliberately."""

    exit_code: ClassVar[ExitCode] = ExitCode.ENVIRONMENT

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def details(self) -> tuple[str, ...]:
        """Further lines for the log; empty if there are none."""
        return ()


class Problem:
    """One error in an input. ``place``: its location (JSON path, offset, line or file name)."""

    __slots__ = ("message", "place")

    def __init__(self, place: str, message: str) -> None:
        self.place = place
        self.message = message

    @override
    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message

    @override
    def __repr__(self) -> str:
        return f"Problem({self.place!r}, {self.message!r})"

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and (self.place, self.message) == (other.place, other.message)

    @override
    def __hash__(self) -> int:
        return hash((self.place, self.message))


class BadInput(GprovError):
    """Input violates its format. ``problems`` holds all problems that were found; ``what`` names the input."""

    exit_code = ExitCode.NEGATIVE

    def __init__(self, what: str, problems: Iterable[Problem]) -> None:
        self.what = what
        self.problems = tuple(problems)
        count = len(self.problems)
        head = str(self.problems[0]) if self.problems else "not valid"
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(f"{what}: {head}{more}")

    @override
    def details(self) -> tuple[str, ...]:
        return tuple(str(problem) for problem in self.problems)


class HardwareMismatch(GprovError):
    """The hardware differs from its specification, or the machine cannot be identified."""

    exit_code = ExitCode.NEGATIVE

    def __init__(self, sentence: str, differences: Iterable[Problem] = ()) -> None:
        super().__init__(sentence)
        self.differences = tuple(differences)

    @override
    def details(self) -> tuple[str, ...]:
        return tuple(str(difference) for difference in self.differences)


class IntegrityFault(GprovError):
    """Content failed verification: an image, a kernel, a download."""

    exit_code = ExitCode.NEGATIVE

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason


class RefusedByPolicy(GprovError):
    """A safety rule forbids an action that is technically possible (RECOVERY as target, restore without evidence)."""

    exit_code = ExitCode.NEGATIVE


class ImageRefused(RefusedByPolicy):
    """An image that may be intact, but is not one that the unit's owner allows."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} is refused: {reason}")
        self.path = path
        self.reason = reason


class EraseUnfinished(RefusedByPolicy):
    """An erase of this unit was begun and has not ended successfully: a restore must not hide that. ``summary``: what
    is known of a failed one, "" if it can be resumed."""

    def __init__(self, summary: str) -> None:
        super().__init__(f"data erase failed: {summary}" if summary else "a data erase of this unit is not finished")
        self.summary = summary


class EraseFailed(GprovError):
    """At least one disk is not erased, or not verified."""

    exit_code = ExitCode.NEGATIVE

    def __init__(self, summary: str) -> None:
        super().__init__(f"data erase FAILED: {summary}")
        self.summary = summary


class BurnInFailed(GprovError):
    """A limit of the burn-in was exceeded. ``exceeded``: a line for each."""

    exit_code = ExitCode.NEGATIVE

    def __init__(self, summary: str, exceeded: Iterable[str]) -> None:
        super().__init__(f"burn-in {summary}")
        self.exceeded = tuple(exceeded)

    @override
    def details(self) -> tuple[str, ...]:
        return self.exceeded


class BurnInAborted(GprovError):
    """The burn-in ended without a result: the unit is neither good nor bad."""

    def __init__(self, summary: str) -> None:
        super().__init__(f"burn-in {summary}")


class DeviceFault(GprovError):
    """A device, a file on it, or the operating system failed. ``subject`` names the device or path."""

    def __init__(self, subject: str, reason: str, *, errno: int | None = None) -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason
        self.errno = errno


class DeviceMissing(DeviceFault):
    """The device or file does not exist. It may appear later."""


class CommandRefused(DeviceFault):
    """A controller answered a command with a completion code that is no success. ``code``: this code."""

    def __init__(self, subject: str, reason: str, code: int) -> None:
        super().__init__(subject, reason)
        self.code = code


class ToolFailed(DeviceFault):
    """A program failed. The details are its redacted command line and the end of its output."""

    def __init__(self, program: str, reason: str, *, command: str = "", output: str = "") -> None:
        super().__init__(program, reason)
        self.command = command
        self.output = output

    @override
    def details(self) -> tuple[str, ...]:
        head = (f"command: {self.command}",) if self.command else ()
        return head + tuple(self.output.splitlines()[-20:])


class ToolLocked(ToolFailed):
    """What a program should change is protected by a password that it was not given."""


class ContentRefused(ToolFailed):
    """A tool refuses what it was given, and would do so again: what it was given is at fault."""


class ToolMissing(DeviceMissing):
    """A program is not installed."""

    def __init__(self, program: str, remedy: str = "") -> None:
        super().__init__(program, f"program is not installed{'; ' + remedy if remedy else ''}")


class NetworkFault(GprovError):
    """A network peer is unreachable or violated the protocol. ``peer`` is a URL or an interface."""

    def __init__(self, peer: str, reason: str) -> None:
        super().__init__(f"{peer}: {reason}")
        self.peer = peer
        self.reason = reason


class HttpRefusal(NetworkFault):
    """A server answered with a status that a retry does not change. ``status``: of the answer."""

    def __init__(self, peer: str, reason: str, status: int) -> None:
        super().__init__(peer, reason)
        self.status = status


class DeadlineExceeded(GprovError):
    """A wait reached its deadline."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"{what}: not within {seconds:g} s")
        self.what = what
        self.seconds = seconds


class InternalError(GprovError):
    """A defect in gprov: a planner or a flow violated an internal rule."""
