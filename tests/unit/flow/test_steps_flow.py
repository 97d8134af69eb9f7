"""Steps and stash archives of manufData.json, run by a machine whose programs are Python functions."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from traceback import format_exception

import pytest

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.stop import Stop
from gprov.apps.host.simulation.cuts import settle
from gprov.apps.host.simulation.world import BASE_URL, MANUF_URL, SERIAL, World, new_world
from gprov.apps.mfg.steps import TEMPORARY
from gprov.domain.errors import (
    BadInput,
    DeadlineExceeded,
    DeviceFault,
    GprovError,
    IntegrityFault,
    NetworkFault,
    ToolFailed,
    ToolMissing,
)
from gprov.domain.events import ProcessState
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.steps import When
from gprov.ports.process import Completed

SECRETS = (f"os-{SERIAL}", f"bios-{SERIAL}", f"ipmi-{SERIAL}")
STASH = f"{BASE_URL}/stash.tar.xz"


def echo(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    return Completed(0, (" ".join(argv[1:]) + "\n").encode(), b"")


def fail(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    return Completed(3, b"", (f"cannot do {' '.join(argv[1:])}\n").encode())


@pytest.fixture
def world() -> World:
    world = new_world()
    world.processes.programs |= {"echo": echo, "fail": fail}
    world.sinks = (MemorySink(),)
    return world


def said(world: World) -> str:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    return repr([event.body for event in sink.events]) + repr(world.factory.received)


def change(world: World, **values: Json) -> None:
    document = json.loads(world.origin.content[MANUF_URL])
    world.origin.content[MANUF_URL] = json.dumps({**document, **values}).encode()


def serve(world: World, name: str, content: bytes, sha256: str = "") -> Json:
    world.origin.content[f"{BASE_URL}/{name}"] = content
    return {"Src": f"{BASE_URL}/{name}", "Sha256": sha256 or hashlib.sha256(content).hexdigest()}


def command(text: str, exit_status: str = "MustSucceed", **more: Json) -> Json:
    return {"Command": text, "ExitStatus": exit_status, **more}


def step(when: str, *commands: Json, files: Sequence[Json] = (), verbose: bool = False) -> Json:
    return {"Name": f"at {when}", "When": when, "Commands": list(commands), "Files": list(files), "Verbose": verbose}


def with_steps(world: World, *steps: Json, code_name: str = "QEMU-mfg-test") -> None:
    change(world, CustomPlatCfgSteps=[{"DevCodeName": code_name, "ConfigSteps": list(steps)}])


def provision_fails(world: World) -> GprovError:
    with pytest.raises(GprovError) as caught:
        world.provision()
    assert ProcessState.MFG_SUCCEEDED not in world.factory.states
    assert world.machine.disks[0].writes == 0
    assert world.machine.nvram == {}
    return caught.value


def ran(world: World) -> list[str]:
    return [shlex.join(run.argv) for run in world.processes.runs]


def test_steps_run_at_their_points_in_order(world: World) -> None:
    with_steps(world, *(step(when.value, command(f"echo {when.value}")) for when in reversed(When)))
    assert world.provision() is Stop.REBOOT
    assert ran(world) == [f"echo {when.value}" for when in When]


def test_steps_of_another_platform_do_not_run(world: World) -> None:
    with_steps(world, step("BeforeQA", command("fail")), code_name="other")
    assert world.provision() is Stop.REBOOT
    assert ran(world) == []


def test_templates_environment_and_folder(world: World) -> None:
    file = serve(world, "tool", b"a tool")
    with_steps(
        world,
        step(
            "AfterImaging",
            command(
                "echo {{.DLDir}} '{{ .RecoveryDir }}' {{.Serial}}",
                AddPath="{{.DLDir}}/bin",
                AddLibPath="{{.DLDir}}/lib",
            ),
            files=[file],
        ),
    )
    seen: list[bytes] = []

    def look(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        seen.append(FakeFiles(world.machine).read(f"{argv[1]}/tool"))
        return Completed(0, b"", b"")

    world.processes.programs["echo"] = look
    assert world.provision() is Stop.REBOOT
    folder = f"{TEMPORARY}/AfterImaging-0"
    run = world.processes.runs[0]
    assert run.argv == ("echo", folder, "/mnt/RECOVERY", SERIAL)
    assert run.cwd == folder
    assert run.env["PATH"].startswith(f"{folder}/bin:/")
    assert run.env["LD_LIBRARY_PATH"] == f"{folder}/lib"
    assert seen == [b"a tool"]


@pytest.mark.parametrize(
    ("program", "exit_status", "accepted"),
    [
        ("echo", "MustSucceed", True),
        ("fail", "MustSucceed", False),
        ("echo", "MustFail", False),
        ("fail", "MustFail", True),
        ("fail", "ESMustFail", True),
        ("echo", "DontCare", True),
        ("fail", "DontCare", True),
    ],
)
def test_exit_statuses(world: World, program: str, exit_status: str, accepted: bool) -> None:
    with_steps(world, step("AfterImaging", command(f"{program} this", exit_status), command("echo next")))
    if accepted:
        assert world.provision() is Stop.REBOOT
        assert ran(world) == [f"{program} this", "echo next"]
        return
    error = provision_fails(world)
    assert isinstance(error, ToolFailed)
    assert error.command == f"{program} this"
    assert "exit status" in str(error)
    assert ran(world) == [f"{program} this"]


def test_a_failure_shows_its_output(world: World) -> None:
    with_steps(world, step("BeforeQA", command("fail this thing")))
    before = world.machine.storage()
    error = provision_fails(world)
    assert error.details() == ("command: fail this thing", "cannot do this thing")
    assert world.machine.storage() == before


@pytest.mark.parametrize("exit_status", ["MustSucceed", "DontCare", "MustFail"])
def test_a_program_that_is_missing_is_fatal_whatever_its_status_should_be(world: World, exit_status: str) -> None:
    with_steps(world, step("BeforeQA", command("nosuch", exit_status)))
    assert isinstance(provision_fails(world), ToolMissing)


def test_passwords_reach_commands_and_nothing_else(world: World) -> None:
    line = "--os={{.OSPass}} --bios={{.BiosPass}} --ipmi={{.IpmiPass}}"
    with_steps(
        world,
        step("BeforePWSet", command(f"echo {line}"), verbose=True),
        step("AfterPWSet", command(f"fail {line}", "MustFail"), verbose=True),
    )
    assert world.provision() is Stop.REBOOT
    expected = tuple(f"--{name}={secret}" for name, secret in zip(("os", "bios", "ipmi"), SECRETS, strict=True))
    assert [run.argv[1:] for run in world.processes.runs] == [expected, expected]
    assert "--os=*** --bios=*** --ipmi=***" in said(world)
    for secret in SECRETS:
        assert secret not in said(world)


def hang(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    raise DeadlineExceeded(argv[0], 3600.0)


def refuse(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    raise DeviceFault(argv[0], "cannot start: permission denied")


@pytest.mark.parametrize(
    "text",
    ["fail {{.OSPass}}", "{{.OSPass}}", "/x/{{.BiosPass}} a", "hang{{.OSPass}} {{.IpmiPass}}", "refuse{{.OSPass}} a"],
)
def test_passwords_are_in_no_error(world: World, text: str) -> None:
    world.processes.programs |= {f"hang{SECRETS[0]}": hang, f"refuse{SECRETS[0]}": refuse}
    with_steps(world, step("BeforePWSet", command(text), verbose=True))
    error = provision_fails(world)
    shown = "".join((str(error), repr(error), *error.details(), *world.machine.messages, *format_exception(error)))
    for secret in SECRETS:
        assert secret not in shown
        assert secret not in said(world)


def test_no_part_of_a_password_shows_where_long_output_is_cut(world: World) -> None:
    def long(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        return Completed(3, b"", f"set {argv[-1]}\n".encode() + b"." * (4096 - len("s-SIM0001\n")))

    world.processes.programs["long"] = long
    with_steps(world, step("BeforePWSet", command("long {{.BiosPass}}")))
    assert "s-SIM0001" not in "\n".join(provision_fails(world).details())
    assert "'  s-SIM0001'" not in said(world)


def test_temporary_folders_are_gone_afterwards(world: World) -> None:
    with_steps(
        world,
        step("BeforeQA", command("echo"), files=[serve(world, "a", b"a")]),
        step("AfterImaging", command("fail"), files=[serve(world, "b", b"b")]),
    )
    left: list[str] = []

    def hook(operation: str) -> None:
        left[:] = [path for path in world.machine.ram.current.paths() if path.startswith(f"{TEMPORARY}/")]

    world.machine.hook = hook
    provision_fails(world)
    assert left == []


def test_a_step_s_file_that_is_another_than_its_hash_says(world: World) -> None:
    with_steps(world, step("BeforeQA", command("echo"), files=[serve(world, "tool", b"a tool", "0" * 64)]))
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, IntegrityFault)
    assert f"{BASE_URL}/tool" in str(error)
    assert ran(world) == []
    assert world.machine.storage() == before


def test_a_step_s_file_that_is_not_there(world: World) -> None:
    with_steps(world, step("BeforeQA", command("echo"), files=[{"Src": f"{BASE_URL}/nosuch", "Sha256": "0" * 64}]))
    assert isinstance(provision_fails(world), NetworkFault)
    assert ran(world) == []


def unpacking(world: World, *scripts: str) -> None:
    """Programs tar, which unpacks these scripts whatever the archive holds, and sh."""
    files = FakeFiles(world.machine)

    def tar(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        folder = argv[argv.index("-C") + 1]
        files.read(argv[argv.index("-f") + 1])
        for script in scripts:
            files.replace(f"{folder}/{script}", b"#!/bin/sh\n")
        return Completed(0, b"", b"")

    def shell(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        files.read(argv[1])
        files.replace(f"{env['RECOVERY']}/stashed-{env['SERIAL']}", b"")
        return Completed(0, b"", b"")

    world.processes.programs |= {"tar": tar, "sh": shell}


def test_a_stash_archive_is_unpacked_and_its_script_run(world: World) -> None:
    unpacking(world, "install.sh", "deeper/other.sh", "README")
    change(world, StashFiles=[serve(world, "stash.tar.xz", b"an archive")])
    assert world.provision() is Stop.REBOOT
    assert ran(world)[1] == f"sh {TEMPORARY}/stash-0/install.sh"
    assert world.machine.tree("RECOVERY").get(f"/stashed-{SERIAL}") is not None
    assert settle(world) == ("reboot", "switched root")


@pytest.mark.parametrize(("scripts", "found"), [((), "none"), (("a.sh", "b.sh"), "a.sh, b.sh")])
def test_a_stash_archive_needs_exactly_one_script(world: World, scripts: tuple[str, ...], found: str) -> None:
    unpacking(world, *scripts)
    change(world, StashFiles=[serve(world, "stash.tar.xz", b"an archive")])
    error = provision_fails(world)
    assert isinstance(error, BadInput)
    assert STASH in str(error)
    assert f"found: {found}" in str(error)


def test_a_link_is_no_script(world: World) -> None:
    """It could name one that the archive does not hold."""
    unpacking(world)
    files, tar = FakeFiles(world.machine), world.processes.programs["tar"]

    def linked(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        files.symlink("/bin/other.sh", f"{argv[argv.index('-C') + 1]}/install.sh")
        return tar(argv, env, stdin)

    world.processes.programs["tar"] = linked
    change(world, StashFiles=[serve(world, "stash.tar.xz", b"an archive")])
    assert "found: none" in str(provision_fails(world))


@pytest.mark.parametrize("program", ["tar", "sh"])
def test_a_stash_archive_that_fails_is_fatal(world: World, program: str) -> None:
    unpacking(world, "install.sh")
    world.processes.programs[program] = fail
    change(world, StashFiles=[serve(world, "stash.tar.xz", b"an archive")])
    error = provision_fails(world)
    assert isinstance(error, ToolFailed)
    assert error.subject == program
    assert world.factory.documents == {}
