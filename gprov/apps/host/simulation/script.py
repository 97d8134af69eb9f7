"""Scripts for the simulated machine: events in the life of a unit, one per line. Format: docs/how-to/simulation.md.

unit firmware=uefi disks=sata seed=0
provision
cut start at=17 torn=3
start
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gprov.adapters.fake.machine.faults import FaultKind
from gprov.adapters.fake.net.origin import ServerFault
from gprov.apps.host.simulation.machine_shapes import DISKS
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import BadInput, Problem


class Verb(Enum):
    PROVISION = "provision"
    START = "start"
    CUT = "cut"
    FAULT = "fault"
    SERVER = "server"
    DROP = "drop"
    CHOOSE = "choose"
    KEYS = "keys"
    REMOVE = "remove"
    PULL = "pull"
    PLUG = "plug"


class Image(Enum):
    """Kinds of images that a script puts onto RECOVERY."""

    GOOD = "good"
    CORRUPT = "corrupt"
    CUT_SHORT = "short"
    NO_KERNEL = "no-kernel"
    MISNAMED = "misnamed"


# Values of options.
_NUMBER = re.compile(r"[0-9]{1,9}")
_WORD = re.compile(r"[A-Za-z0-9._:/-]{1,80}")
# Serial numbers of the disks that can be pulled or lost.
DISK_NAMES = ("primary0", "primary1", "recovery")
# Words that may follow each verb; None: no word follows.
_CHOICES: Mapping[Verb, frozenset[str] | None] = {
    Verb.PROVISION: None,
    Verb.START: None,
    Verb.CUT: frozenset({"start", "provision"}),
    Verb.FAULT: frozenset(kind.value for kind in FaultKind),
    Verb.SERVER: frozenset({"good", "down", *(fault.value for fault in ServerFault)}),
    Verb.DROP: frozenset(image.value for image in Image),
    Verb.CHOOSE: frozenset({"normal", "restore", "erase", "recovery", "second-copy", "other-disk"}),
    Verb.KEYS: frozenset({"resume", "latest", "original", "choose", "nothing", "erase"}),
    Verb.REMOVE: frozenset({"flag", "nvram", "history", "options", "menus"}),
    Verb.PULL: frozenset(DISK_NAMES),
    Verb.PLUG: frozenset(DISK_NAMES),
}
_OPTIONS: Mapping[Verb, Mapping[str, re.Pattern[str]]] = {
    Verb.CUT: {"at": _NUMBER, "torn": _NUMBER},
    Verb.FAULT: {
        "after": _NUMBER,
        "times": _NUMBER,
        "seconds": _NUMBER,
        "where": _WORD,
        "disk": re.compile("|".join(DISK_NAMES)),
        "back": re.compile("next|never"),
    },
    Verb.SERVER: {"file": re.compile("image|kernel|data")},
    Verb.DROP: {"day": re.compile("[1-9]|1[0-9]|2[0-8]")},
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line. ``options`` by name, as text."""

    verb: Verb
    what: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str, default: int = 0) -> int:
        return int(self.options.get(name, default))

    def describe(self) -> str:
        words = (self.verb.value, self.what, *(f"{name}={value}" for name, value in sorted(self.options.items())))
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class Script:
    firmware: FirmwareKind = FirmwareKind.UEFI
    disks: str = "sata"
    seed: int = 0
    steps: tuple[Step, ...] = ()

    def render(self) -> str:
        unit = f"unit firmware={self.firmware.value} disks={self.disks} seed={self.seed}"
        return "".join(f"{line}\n" for line in (unit, *(step.describe() for step in self.steps)))


def parse_script(name: str, text: str) -> Script:
    """Raises BadInput with every problem and its line. The first line that is no comment describes the unit."""
    problems: list[Problem] = []
    script: Script | None = None
    steps: list[Step] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        place = f"line {number}"
        try:
            if script is None:
                script = _unit(words)
            else:
                steps.append(_after(steps, _step(words)))
        except ValueError as error:
            problems.append(Problem(place, str(error)))
            script = script or Script()
    if script is None:
        problems.append(Problem("", "holds no line: it begins with `unit firmware=… disks=… seed=…`"))
    if problems or script is None:
        raise BadInput(name, problems)
    return Script(script.firmware, script.disks, script.seed, tuple(steps))


def _unit(words: list[str]) -> Script:
    if words[0] != "unit":
        raise ValueError("the first line begins with `unit`")
    options = _pairs(words[1:])
    kinds = {kind.value: kind for kind in FirmwareKind}
    firmware, disks, seed = options.pop("firmware", "uefi"), options.pop("disks", "sata"), options.pop("seed", "0")
    if options:
        raise ValueError(f"a unit has no {', '.join(sorted(options))}")
    if firmware not in kinds:
        raise ValueError(f"firmware is one of {', '.join(kinds)}")
    if disks not in DISKS:
        raise ValueError(f"disks are one of {', '.join(DISKS)}")
    if not _NUMBER.fullmatch(seed):
        raise ValueError("seed is a number")
    return Script(kinds[firmware], disks, int(seed))


def _after(earlier: list[Step], step: Step) -> Step:
    """The step, if it has an effect after the earlier ones."""
    if (step.verb, step.what) == (Verb.KEYS, "erase") and Step(Verb.CHOOSE, "erase") not in earlier:
        raise ValueError("`keys erase` has no effect without `choose erase` before it")
    return step


def _step(words: list[str]) -> Step:
    verbs = {verb.value: verb for verb in Verb}
    if words[0] not in verbs:
        raise ValueError(f"{words[0]!r} is none of {', '.join(verbs)}")
    verb, rest = verbs[words[0]], words[1:]
    choices, what = _CHOICES[verb], ""
    if choices is not None:
        if not rest or rest[0] not in choices:
            raise ValueError(f"{verb.value} is followed by one of {', '.join(sorted(choices))}")
        what, rest = rest[0], rest[1:]
    known = _OPTIONS.get(verb, {})
    options = _pairs(rest)
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"{verb.value} has no {name}" + (f" (but {', '.join(known)})" if known else ""))
        if not known[name].fullmatch(value):
            raise ValueError(f"{name} cannot be {value!r}")
    return Step(verb, what, options)


def _pairs(words: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is not NAME=VALUE")
        if name in pairs:
            raise ValueError(f"{name} is there twice")
        pairs[name] = value
    return pairs
