"""The life of units as hypothesis invents it: flows, cuts, faults, bad servers, bad images and people in any order.
What fails is printed as a script for ``gprov simulate replay``."""

from __future__ import annotations

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from typing_extensions import override

from gprov.adapters.fake.machine.faults import FaultKind
from gprov.adapters.fake.net.origin import ServerFault
from gprov.apps.host.simulation.replay import Replay
from gprov.apps.host.simulation.script import DISK_NAMES, Image, Script, Step, Verb
from gprov.domain.boot.firmware import FirmwareKind

NUMBERS = st.integers(0, 130).map(str)
LUCK = st.integers(0, 9999).map(str)
WHERE = st.sampled_from(["", "/mnt/RECOVERY", "/mnt/PRIMARY", "/dev/sda", "Image", "nvram", "sync", "ESP", "log/"])


class Life(RuleBasedStateMachine):
    """Each rule is one line of a script."""

    def __init__(self) -> None:
        super().__init__()
        self.replay = Replay(Script())
        self.steps: list[Step] = []

    @initialize(
        firmware=st.sampled_from(FirmwareKind), disks=st.sampled_from(["sata", "raid1", "raid5"]), used=st.booleans()
    )
    def begin(self, firmware: FirmwareKind, disks: str, used: bool) -> None:
        self.replay = Replay(Script(firmware, disks))
        if used:
            for verb in (Verb.PROVISION, Verb.START, Verb.START):
                self.do(Step(verb))

    def do(self, step: Step) -> None:
        self.steps.append(step)
        self.replay.step(step)
        self.check()

    def check(self) -> None:
        if self.replay.problems:
            note(Script(self.replay.script.firmware, self.replay.script.disks, 0, tuple(self.steps)).render())
        assert self.replay.problems == []

    @rule()
    def start(self) -> None:
        self.do(Step(Verb.START))

    @rule()
    def provision(self) -> None:
        self.do(Step(Verb.PROVISION))

    @rule(what=st.sampled_from(["start", "start", "start", "provision"]), at=NUMBERS, torn=LUCK)
    def cut(self, what: str, at: str, torn: str) -> None:
        self.do(Step(Verb.CUT, what, {"at": at, "torn": torn}))

    @rule(
        kind=st.sampled_from([kind for kind in FaultKind if kind not in (FaultKind.VANISH, FaultKind.SLOW)]),
        after=NUMBERS,
        times=st.integers(1, 3).map(str),
        where=WHERE,
    )
    def fault(self, kind: FaultKind, after: str, times: str, where: str) -> None:
        options = {"after": after, "times": times} | ({"where": where} if where else {})
        self.do(Step(Verb.FAULT, kind.value, options))

    @rule(seconds=st.integers(1, 600).map(str), times=st.integers(1, 999).map(str), after=NUMBERS, where=WHERE)
    def slow(self, seconds: str, times: str, after: str, where: str) -> None:
        options = {"after": after, "times": times, "seconds": seconds} | ({"where": where} if where else {})
        self.do(Step(Verb.FAULT, FaultKind.SLOW.value, options))

    @rule(disk=st.sampled_from(DISK_NAMES), back=st.sampled_from(["next", "next", "never"]), after=NUMBERS, where=WHERE)
    def vanish(self, disk: str, back: str, after: str, where: str) -> None:
        options = {"after": after, "disk": disk, "back": back} | ({"where": where} if where else {})
        self.do(Step(Verb.FAULT, FaultKind.VANISH.value, options))

    @rule(
        mood=st.sampled_from(["good", "down", *(fault.value for fault in ServerFault)]),
        file=st.sampled_from(["image", "kernel", "data"]),
    )
    def server(self, mood: str, file: str) -> None:
        self.do(Step(Verb.SERVER, mood, {"file": file}))

    @rule(image=st.sampled_from(Image), day=st.integers(1, 5).map(str))
    def drop(self, image: Image, day: str) -> None:
        self.do(Step(Verb.DROP, image.value, {"day": day}))

    @rule(what=st.sampled_from(["normal", "restore", "erase", "recovery", "second-copy", "other-disk"]))
    def choose(self, what: str) -> None:
        self.do(Step(Verb.CHOOSE, what))

    @rule(what=st.sampled_from(["resume", "latest", "original", "choose", "nothing"]))
    def keys(self, what: str) -> None:
        self.do(Step(Verb.KEYS, what))

    @rule(what=st.sampled_from(["flag", "nvram", "history", "options", "menus"]))
    def remove(self, what: str) -> None:
        self.do(Step(Verb.REMOVE, what))

    @rule(verb=st.sampled_from([Verb.PULL, Verb.PLUG]), what=st.sampled_from(DISK_NAMES))
    def disk(self, verb: Verb, what: str) -> None:
        self.do(Step(verb, what))

    @override
    def teardown(self) -> None:
        self.replay.rest()
        self.check()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=60, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)
