"""Scripts: read, written, replayed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.cli.main import main
from gprov.apps.host.simulation.machine_shapes import DISKS
from gprov.apps.host.simulation.replay import Replay
from gprov.apps.host.simulation.script import Image, Script, Step, Verb, parse_script
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import BadInput
from gprov.domain.files import FileType
from tests.unit.simulate.replays import running

NUMBERS = st.integers(0, 999).map(str)
STEPS = st.one_of(
    st.sampled_from([Step(Verb.PROVISION), Step(Verb.START), Step(Verb.PULL, "primary0"), Step(Verb.KEYS, "latest")]),
    st.builds(
        lambda what, at: Step(Verb.CUT, what, {"at": at, "torn": at}), st.sampled_from(["start", "provision"]), NUMBERS
    ),
    st.builds(lambda after: Step(Verb.FAULT, "eio", {"after": after, "where": "/mnt/RECOVERY"}), NUMBERS),
    st.builds(lambda image: Step(Verb.DROP, image.value, {"day": "3"}), st.sampled_from(Image)),
)
SCRIPTS = st.builds(
    Script,
    st.sampled_from(FirmwareKind),
    st.sampled_from(sorted(DISKS)),
    st.integers(0, 999),
    st.lists(STEPS, max_size=6).map(tuple),
)


@given(SCRIPTS)
def test_a_script_that_is_written_and_read_is_the_same(script: Script) -> None:
    assert parse_script("x", script.render()) == script


WORDS = ["unit", "start", "cut start", "at=1", "=", "#", "torn=x", "drop good", "day=99", "\n"]


@given(st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_a_script_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        parse_script("x", text)


def test_all_problems_of_a_script_are_reported_with_their_lines() -> None:
    text = "unit firmware=efi\nstart now\n# fine\ncut start at=x\nexplode\ndrop good day=40\ncut start at=1 at=2\n"
    with pytest.raises(BadInput) as refused:
        parse_script("life.txt", text)
    assert [problem.place for problem in refused.value.problems] == [f"line {n}" for n in (1, 2, 4, 5, 6, 7)]


def run(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = main(["simulate", "replay", str(path)])
    return status, capsys.readouterr().out


def test_a_script_is_replayed_step_by_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "life.txt"
    path.write_text("unit firmware=bios disks=raid1 seed=2\nprovision\ncut start at=30 torn=8 # in the first restore\n")
    status, out = run(path, capsys)
    assert status == 0
    assert [line for line in out.splitlines() if line.startswith("== ")] == [
        "== provision",
        "== cut start at=30 torn=8",
        "== until the unit rests",
        "== all invariants held",
    ]
    assert "*** power cut" in out
    assert "state FR_SUCCEEDED" in out


def test_a_bad_script_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "life.txt"
    path.write_text("unit\nexplode\n")
    assert main(["simulate", "replay", str(path)]) == 1
    assert "line 2: 'explode'" in capsys.readouterr().err


def test_the_old_system_may_stay_without_its_image_when_provisioning_anew_fails() -> None:
    text = "unit\nprovision\ndrop good day=1\nstart\nfault eio where=/mnt/RECOVERY/ESP\nprovision\n"
    assert Replay(parse_script("x", text)).run() == []


def test_announced_pauses_do_not_count_as_endless_waits() -> None:
    text = "unit\n" + "start\n" * 3 + "pull primary0\n" + "start\n" * 10
    replay = Replay(parse_script("x", text))
    assert replay.run() == []
    assert replay.world.machine.clock.total_elapsed > 3 * 24 * 3600


def test_the_rules_report_a_foreign_file_a_missing_one_and_a_changed_one() -> None:
    for path, content in (("/etc/stranger", b"x"), ("/etc/passwd", None), ("/etc/passwd", b"changed")):
        replay = running()
        tree = replay.world.machine.volume_tree("PRIMARY")
        if content is None:
            tree.drop(path)
        else:
            tree.put(path, Node(type=FileType.FILE, content=content, mode=0o755))
        replay.step(Step(Verb.REMOVE, "options"))
        assert any(path in problem for problem in replay.problems), path


def test_the_rules_report_a_stored_password_and_a_lost_image() -> None:
    replay = running()
    recovery = replay.world.machine.volume_tree("RECOVERY")
    recovery.put("/log/x", Node(type=FileType.FILE, content=b"the password is os-SIM0001"))
    for path in recovery.below("/Image"):
        recovery.drop(path)
    replay.step(Step(Verb.REMOVE, "options"))
    assert any("password" in problem for problem in replay.problems)
    assert any("no good image" in problem for problem in replay.problems)


def test_an_erase_is_confirmed_only_after_it_was_chosen() -> None:
    with pytest.raises(BadInput, match="no effect without `choose erase`"):
        parse_script("s", "unit firmware=uefi disks=sata seed=0\nkeys erase\nstart\n")
    assert len(parse_script("s", "unit seed=0\nchoose erase\nkeys erase\nstart\n").steps) == 3
