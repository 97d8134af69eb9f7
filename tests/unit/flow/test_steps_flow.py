"""Steps and stash archives of manufData.json, run by a machine whose programs are Python functions."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from traceback import format_exception
from urllib.parse import quote

import pytest

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.system.process import Program
from gprov.apps.host.simulation.factory_files import BASE_URL
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.apps.mfg.steps import RECOVERY_LINK, TEMPORARY
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
from gprov.domain.mfg.steps import StepPoint
from gprov.ports.process import Completed
from tests.unit.flow.driver import UnitDriver

SECRETS = (f"os-{SERIAL}", f"bios-{SERIAL}", f"ipmi-{SERIAL}")
STASH = f"{BASE_URL}/stash.tar.xz"


def echo(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    return Completed(0, (" ".join(argv[1:]) + "\n").encode(), b"")


def fail(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    return Completed(3, b"", (f"cannot do {' '.join(argv[1:])}\n").encode())


@pytest.fixture
def unit(blank: UnitDriver) -> UnitDriver:
    """A unit whose provisioning environment has the programs echo and fail."""
    blank.processes.programs |= {"echo": echo, "fail": fail}
    return blank


def serve(unit: UnitDriver, name: str, content: bytes, sha256: str = "") -> Json:
    unit.origin.content[f"{BASE_URL}/{name}"] = content
    return {"Src": f"{BASE_URL}/{name}", "Sha256": sha256 or hashlib.sha256(content).hexdigest()}


def command(text: str, exit_status: str = "MustSucceed", **more: Json) -> Json:
    return {"Command": text, "ExitStatus": exit_status, **more}


def step(when: str, *commands: Json, files: Sequence[Json] = (), verbose: bool = False) -> Json:
    return {"Name": f"at {when}", "When": when, "Commands": list(commands), "Files": list(files), "Verbose": verbose}


def with_steps(unit: UnitDriver, *steps: Json, code_name: str = "QEMU-mfg-test") -> None:
    unit.change_manuf(CustomPlatCfgSteps=[{"DevCodeName": code_name, "ConfigSteps": list(steps)}])


def provision_fails(unit: UnitDriver) -> GprovError:
    """The error that provisioning must end in, before it changes a data disk or a boot entry."""
    error = unit.provision_fails()
    assert ProcessState.MFG_SUCCEEDED not in unit.factory.states
    assert unit.machine.disks[0].writes == 0
    assert unit.machine.nvram == {}
    return error


def ran(unit: UnitDriver) -> list[str]:
    return [shlex.join(run.argv) for run in unit.processes.runs]


def test_steps_run_at_their_points_in_order(unit: UnitDriver) -> None:
    with_steps(unit, *(step(when.value, command(f"echo {when.value}")) for when in reversed(StepPoint)))
    assert unit.provision() is StopReason.REBOOT
    assert ran(unit) == [f"echo {when.value}" for when in StepPoint]


def test_steps_of_another_platform_do_not_run(unit: UnitDriver) -> None:
    with_steps(unit, step("BeforeQA", command("fail")), code_name="other")
    assert unit.provision() is StopReason.REBOOT
    assert ran(unit) == []


def test_a_command_gets_its_templates_filled_its_paths_and_a_folder_with_its_files(unit: UnitDriver) -> None:
    file = serve(unit, "tool", b"a tool")
    with_steps(
        unit,
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
        seen.append(FakeFiles(unit.machine).read(f"{argv[1]}/tool"))
        return Completed(0, b"", b"")

    unit.processes.programs["echo"] = look
    assert unit.provision() is StopReason.REBOOT
    folder = f"{TEMPORARY}/AfterImaging-0"
    run = unit.processes.runs[0]
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
def test_a_command_is_accepted_by_its_exit_status(
    unit: UnitDriver, program: str, exit_status: str, accepted: bool
) -> None:
    with_steps(unit, step("AfterImaging", command(f"{program} this", exit_status), command("echo next")))
    if accepted:
        assert unit.provision() is StopReason.REBOOT
        assert ran(unit) == [f"{program} this", "echo next"]
        return
    error = provision_fails(unit)
    assert isinstance(error, ToolFailed)
    assert error.command == f"{program} this"
    assert "exit status" in str(error)
    assert ran(unit) == [f"{program} this"]


def test_commands_and_scripts_have_the_kernel_arguments_as_variables(unit: UnitDriver) -> None:
    unpacking(unit, "install.sh")
    unit.change_manuf(StashFiles=[serve(unit, "stash.tar.xz", b"an archive")])
    with_steps(unit, step("BeforeQA", command("echo", AddPath="/opt")))
    arguments = {"STATION": "bench-7", "MIRROR": "http://user:p4ssw0rd@mirror/", "PATH": "/evil", "SERIAL": "other"}
    assert unit.provision(**arguments) is StopReason.REBOOT
    step_run, _, _, script = unit.processes.runs
    for run in (step_run, script):
        assert (run.env["STATION"], run.env["MIRROR"]) == ("bench-7", "http://mirror/")
        assert "/evil" not in run.env.get("PATH", "")
    assert step_run.env["PATH"].startswith("/opt:/")
    assert (script.env["SERIAL"], script.env["RECOVERY"]) == (SERIAL, "/mnt/RECOVERY")
    assert "p4ssw0rd" not in unit.told()


def test_recovery_is_reachable_by_a_fixed_path_when_it_is_mounted(unit: UnitDriver) -> None:
    links: list[str] = []

    def look(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        node = unit.machine.ram.current.get(RECOVERY_LINK)
        links.append(node.content.decode() if node else "none")
        return Completed(0, b"", b"")

    unit.processes.programs["look"] = look
    with_steps(unit, step("AfterQA", command("look")), step("BeforeImaging", command("look")))
    assert unit.provision() is StopReason.REBOOT
    assert links == ["none", "/mnt/RECOVERY"]


def test_the_error_of_a_command_that_failed_has_its_output(unit: UnitDriver) -> None:
    with_steps(unit, step("BeforeQA", command("fail this thing")))
    before = unit.machine.media_state()
    error = provision_fails(unit)
    assert error.details() == ("command: fail this thing", "cannot do this thing")
    assert unit.machine.media_state() == before


@pytest.mark.parametrize("exit_status", ["MustSucceed", "DontCare", "MustFail"])
def test_a_missing_program_is_fatal_whatever_exit_status_is_wanted(unit: UnitDriver, exit_status: str) -> None:
    with_steps(unit, step("BeforeQA", command("nosuch", exit_status)))
    assert isinstance(provision_fails(unit), ToolMissing)


def test_passwords_reach_commands_and_nothing_else(unit: UnitDriver) -> None:
    line = "--os={{.OSPass}} --bios={{.BiosPass}} --ipmi={{.IpmiPass}}"
    with_steps(
        unit,
        step("BeforePWSet", command(f"echo {line}"), verbose=True),
        step("AfterPWSet", command(f"fail {line}", "MustFail"), verbose=True),
    )
    assert unit.provision() is StopReason.REBOOT
    expected = tuple(f"--{name}={secret}" for name, secret in zip(("os", "bios", "ipmi"), SECRETS, strict=True))
    assert [run.argv[1:] for run in unit.processes.runs] == [expected, expected]
    assert "--os=*** --bios=*** --ipmi=***" in unit.told()
    for secret in SECRETS:
        assert secret not in unit.told()


@pytest.mark.parametrize(
    "show",
    [
        lambda text: base64.encodebytes(f"{'u' * 50}{text}".encode()),
        lambda text: text.encode().hex(" ").upper().encode(),
        lambda text: quote(f"x={text}", safe="").replace("S", "%53").encode(),
        lambda text: text.upper().encode(),
    ],
)
@pytest.mark.parametrize("program", ["show", "complain"])
def test_encoded_passwords_are_in_no_log_and_no_error(
    unit: UnitDriver, show: Callable[[str], bytes], program: str
) -> None:
    status = 0 if program == "show" else 3
    unit.processes.programs[program] = lambda argv, env, stdin: Completed(status, b"out\n", show(argv[-1]))
    with_steps(unit, step("BeforePWSet", command(f"{program} {{{{.IpmiPass}}}}"), verbose=True))
    if status:
        error = provision_fails(unit)
        told = "\n".join((unit.told(), *error.details()))
    else:
        assert unit.provision() is StopReason.REBOOT
        told = unit.told()
    assert "***" in told.partition("out")[2]
    for line in show(SECRETS[2]).decode().splitlines()[-2:]:
        assert line not in told


def hang(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    raise DeadlineExceeded(argv[0], 3600.0)


def refuse(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    raise DeviceFault(argv[0], "cannot start: permission denied")


@pytest.mark.parametrize(
    "text",
    ["fail {{.OSPass}}", "{{.OSPass}}", "/x/{{.BiosPass}} a", "hang{{.OSPass}} {{.IpmiPass}}", "refuse{{.OSPass}} a"],
)
def test_passwords_are_in_no_error(unit: UnitDriver, text: str) -> None:
    unit.processes.programs |= {f"hang{SECRETS[0]}": hang, f"refuse{SECRETS[0]}": refuse}
    with_steps(unit, step("BeforePWSet", command(text), verbose=True))
    error = provision_fails(unit)
    shown = "".join((str(error), repr(error), *error.details(), *unit.machine.messages, *format_exception(error)))
    for secret in SECRETS:
        assert secret not in shown
        assert secret not in unit.told()


def test_no_part_of_a_password_shows_where_long_output_is_cut(unit: UnitDriver) -> None:
    def long(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        return Completed(3, b"", f"set {argv[-1]}\n".encode() + b"." * (4096 - len("s-SIM0001\n")))

    unit.processes.programs["long"] = long
    with_steps(unit, step("BeforePWSet", command("long {{.BiosPass}}")))
    assert "s-SIM0001" not in "\n".join(provision_fails(unit).details())
    assert "'  s-SIM0001'" not in unit.told()


def test_temporary_folders_are_gone_afterwards(unit: UnitDriver) -> None:
    with_steps(
        unit,
        step("BeforeQA", command("echo"), files=[serve(unit, "a", b"a")]),
        step("AfterImaging", command("fail"), files=[serve(unit, "b", b"b")]),
    )
    left: list[str] = []

    def hook(operation: str) -> None:
        left[:] = [path for path in unit.machine.ram.current.paths() if path.startswith(f"{TEMPORARY}/")]

    unit.machine.hook = hook
    provision_fails(unit)
    assert left == []


def test_a_file_of_a_step_with_another_hash_is_refused(unit: UnitDriver) -> None:
    with_steps(unit, step("BeforeQA", command("echo"), files=[serve(unit, "tool", b"a tool", "0" * 64)]))
    before = unit.machine.media_state()
    error = provision_fails(unit)
    assert isinstance(error, IntegrityFault)
    assert f"{BASE_URL}/tool" in str(error)
    assert ran(unit) == []
    assert unit.machine.media_state() == before


def test_a_file_of_a_step_that_the_server_does_not_have_is_a_network_fault(unit: UnitDriver) -> None:
    with_steps(unit, step("BeforeQA", command("echo"), files=[{"Src": f"{BASE_URL}/nosuch", "Sha256": "0" * 64}]))
    assert isinstance(provision_fails(unit), NetworkFault)
    assert ran(unit) == []


def unpacking(unit: UnitDriver, *scripts: str) -> None:
    """Programs tar, which unpacks these scripts whatever the archive holds, and /bin/sh."""
    files = FakeFiles(unit.machine)

    def tar(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        folder = argv[argv.index("-C") + 1]
        files.read(argv[argv.index("-f") + 1])
        for script in scripts:
            files.replace(f"{folder}/{script}", b"#!/bin/sh -e\n")
        return Completed(0, b"", b"")

    def shell(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        files.read(argv[-1])
        files.replace(f"{env['RECOVERY']}/stashed-{env['SERIAL']}", b"")
        return Completed(0, b"", b"")

    unit.processes.programs |= {"xz": listing(10240), "tar": tar, "/bin/sh": shell}


def listing(size: int) -> Program:
    """Program xz, in whose list each file unpacks to so many bytes."""
    return lambda argv, env, stdin: Completed(0, b"name\tx\ntotals\t1\t1\t500\t%d\t0.1\tCRC64\t0\t1\n" % size, b"")


def test_a_stash_archive_is_unpacked_and_its_script_run(unit: UnitDriver) -> None:
    unpacking(unit, "install.sh", "deeper/other.sh", "README")
    unit.change_manuf(StashFiles=[serve(unit, "stash.tar.xz", b"an archive")])
    assert unit.provision() is StopReason.REBOOT
    assert ran(unit)[2] == f"/bin/sh -e {TEMPORARY}/stash-0/install.sh"
    assert unit.exists("RECOVERY", f"/stashed-{SERIAL}")
    assert unit.settle() == ("reboot", "switched root")


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (1 << 50, f"states that it unpacks to {1 << 50} bytes; there are "),
        (None, "is no xz file whose index can be read"),
    ],
)
def test_a_stash_archive_that_does_not_fit_is_not_unpacked(unit: UnitDriver, listed: int | None, reason: str) -> None:
    unpacking(unit, "install.sh")
    unit.processes.programs["xz"] = fail if listed is None else listing(listed)
    unit.change_manuf(StashFiles=[serve(unit, "stash.tar.xz", b"an archive")])
    error = provision_fails(unit)
    assert isinstance(error, BadInput)
    assert reason in str(error)
    assert [run.split()[0] for run in ran(unit)] == ["xz"]


@pytest.mark.parametrize(("scripts", "found"), [((), "none"), (("a.sh", "b.sh"), "a.sh, b.sh")])
def test_a_stash_archive_needs_exactly_one_script(unit: UnitDriver, scripts: tuple[str, ...], found: str) -> None:
    unpacking(unit, *scripts)
    unit.change_manuf(StashFiles=[serve(unit, "stash.tar.xz", b"an archive")])
    error = provision_fails(unit)
    assert isinstance(error, BadInput)
    assert STASH in str(error)
    assert f"found: {found}" in str(error)


def test_a_link_in_a_stash_archive_does_not_count_as_its_script(unit: UnitDriver) -> None:
    """It could lead to a program outside of the archive."""
    unpacking(unit)
    files, tar = FakeFiles(unit.machine), unit.processes.programs["tar"]

    def linked(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        files.symlink("/bin/other.sh", f"{argv[argv.index('-C') + 1]}/install.sh")
        return tar(argv, env, stdin)

    unit.processes.programs["tar"] = linked
    unit.change_manuf(StashFiles=[serve(unit, "stash.tar.xz", b"an archive")])
    assert "found: none" in str(provision_fails(unit))


@pytest.mark.parametrize("program", ["tar", "/bin/sh"])
def test_a_stash_archive_that_fails_is_fatal(unit: UnitDriver, program: str) -> None:
    unpacking(unit, "install.sh")
    unit.processes.programs[program] = fail
    unit.change_manuf(StashFiles=[serve(unit, "stash.tar.xz", b"an archive")])
    error = provision_fails(unit)
    assert isinstance(error, ToolFailed)
    assert error.subject == program
    assert unit.factory.documents == {}


def test_a_script_for_a_shell_that_is_not_there_says_so(unit: UnitDriver) -> None:
    unpacking(unit, "install.sh")
    files, tar = FakeFiles(unit.machine), unit.processes.programs["tar"]

    def for_bash(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        done = tar(argv, env, stdin)
        files.replace(f"{argv[argv.index('-C') + 1]}/install.sh", b"#!/bin/bash -e\n")
        return done

    unit.processes.programs["tar"] = for_bash
    unit.change_manuf(StashFiles=[serve(unit, "stash.tar.xz", b"an archive")])
    error = provision_fails(unit)
    assert isinstance(error, BadInput)
    assert [problem.place for problem in error.problems] == ["install.sh"]
    assert "its first line names /bin/bash, which the provisioning system does not have: write it for sh" in str(error)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"#!/usr/bin/env bash\n", "its first line names bash, which the provisioning system does not have"),
        (b"\x7fELF\x01\x01\x01", "32-bit programs need libraries_32"),
        (b"echo\n", "cannot start: permission denied"),
    ],
)
def test_why_a_fetched_program_does_not_start(unit: UnitDriver, content: bytes, words: str) -> None:
    unit.processes.programs[f"{TEMPORARY}/BeforeQA-0/tool"] = refuse
    with_steps(unit, step("BeforeQA", command("{{.DLDir}}/tool"), files=[serve(unit, "tool", content)]))
    error = provision_fails(unit)
    assert isinstance(error, DeviceFault)
    assert words in str(error)
