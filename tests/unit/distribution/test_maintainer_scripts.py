"""What the package does to services that run its program while it is upgraded or removed.

By programs that keep the state of services as systemd does, in files. tests/integ/distribution/test_upgrade.py has the
real ones.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "debian"
STATE = """\
#!/bin/sh
cd {units}
for unit; do :; done
case "$*" in
    "list-units "*--state=*) for unit in *; do
        read -r state < "$unit"
        case "$*" in *--state=*$state,* | *--state=*$state" "*) echo "$unit loaded $state running Some service" ;; esac
    done ;;
    "show "*ExecStart*) path=$(sed -n 2p "$unit")
        echo "ExecStart={{ path=$path ; argv[]=$path server run ; pid=7 }}" ;;
    "--quiet is-active "*) [ "$(head -n 1 "$unit")" = active ] ;;
    "--system daemon-reload") echo "$*" >> {log} ;;
    *) echo "systemctl $*: not known" >&2; exit 1 ;;
esac
"""
# As systemd's: "start" leaves out what is not enabled.
INVOKE = """\
#!/bin/sh
cd {units}
echo "$*" >> {log}
case $1 in
    stop) sed -i "1s/.*/inactive/" "$2" ;;
    start) [ "$(sed -n 3p "$2")" != enabled ] || sed -i "1s/.*/active/" "$2" ;;
esac
"""
LINE, OWN, DISABLED, IDLE, OTHER, WHEEL = (
    "gprov-server@srv-line\\x2d1.service", "line-two.service", "gprov-server@srv-3.service",
    "gprov-server@srv-4.service", "other.service", "of-a-wheel.service",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Host:
    folder: Path

    @classmethod
    def new(cls, folder: Path, *, systemd: bool = True) -> Host:
        """With services that run, one that does not, and some that do not run the package's program."""
        names = {name: folder / name for name in ("bin", "units", "run", "log")}
        for name in ("bin", "units", "run"):
            names[name].mkdir()
        names["log"].touch()
        if systemd:
            (folder / "run/systemd/system").mkdir(parents=True)
        programs = {"systemctl": STATE, "deb-systemd-invoke": INVOKE}
        for name in ("systemctl", "deb-systemd-invoke", "py3compile", "py3clean"):
            text = programs.get(name, "#!/bin/sh\n").format(units=folder / "units", log=folder / "log")
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        ours, enabled = "/usr/bin/gprov", "enabled"
        for unit, state, path, known in (
            (LINE, "active", ours, enabled),
            (OWN, "activating", ours, enabled),
            (DISABLED, "active", ours, "disabled"),
            (IDLE, "inactive", ours, enabled),
            (OTHER, "active", "/usr/bin/gprov-other", enabled),
            (WHEEL, "active", "/opt/gprov/bin/gprov", enabled),
        ):
            (folder / "units" / unit).write_text(f"{state}\n{path}\n{known}\n")
        return cls(folder)

    def run(self, script: str, *words: str) -> str:
        """What it said."""
        text = (SCRIPTS / script).read_text()
        assert "/run/" in text
        command = ["sh", "-c", text.replace("/run/", f"{self.folder}/run/"), script, *words]
        env = {"PATH": f"{self.folder}/bin:{os.defpath}"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
        return done.stderr

    def running(self) -> set[str]:
        units = (self.folder / "units").iterdir()
        return {unit.name for unit in units if not unit.read_text().startswith("inactive")}

    def lists(self) -> list[str]:
        return [path.name for path in (self.folder / "run").iterdir() if path.name != "systemd"]

    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()


FOREIGN = {OTHER, WHEEL}
BEFORE = {LINE, OWN, DISABLED, *FOREIGN}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host.new(tmp_path)
    assert made.running() == BEFORE
    return made


@pytest.mark.parametrize("words", [("upgrade", "0.2.0"), ("remove",), ("deconfigure", "in-favour", "x", "1")])
def test_services_that_run_the_program_are_stopped_before_its_files_change(host: Host, words: tuple[str, ...]) -> None:
    assert host.run("gprov.prerm", *words) == ""
    assert host.running() == FOREIGN


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("upgrade", "0.2.0"), ("configure", "0.1.0")),
        (("upgrade", "0.2.0"), ("abort-upgrade", "0.2.0")),
        (("remove",), ("abort-remove",)),
        (("deconfigure", "in-favour", "x", "1"), ("abort-deconfigure", "in-favour", "x", "1")),
    ],
)
def test_they_are_started_again_also_after_a_failure(host: Host, first: tuple[str, ...], then: tuple[str, ...]) -> None:
    host.run("gprov.prerm", *first)
    said = host.run("gprov.postinst", *then)
    assert host.running() == {LINE, OWN, *FOREIGN}
    assert said.count("\n") == 1
    assert said.startswith(f"gprov: {DISABLED} was stopped, and is not started: ")
    assert host.lists() == []
    assert host.log().index("--system daemon-reload") < host.log().index(f"start {LINE}")


def test_a_second_attempt_does_not_forget_the_first_one_s(host: Host) -> None:
    """As after an upgrade that ended between both scripts."""
    for _ in range(2):
        host.run("gprov.prerm", "upgrade", "0.2.0")
    host.run("gprov.postinst", "configure", "0.1.0")
    assert host.running() == {LINE, OWN, *FOREIGN}


def test_what_was_stopped_by_a_removal_is_not_started_by_an_installation(host: Host) -> None:
    host.run("gprov.prerm", "remove")
    host.run("gprov.postrm", "remove")
    assert host.lists() == []
    host.run("gprov.postinst", "configure", "0.1.0")
    assert host.running() == FOREIGN


@pytest.mark.parametrize(
    ("script", "words"), [("gprov.prerm", ("upgrade", "0.2.0")), ("gprov.postinst", ("configure", "0.1.0"))]
)
def test_without_systemd_no_service_is_touched(tmp_path: Path, script: str, words: tuple[str, ...]) -> None:
    host = Host.new(tmp_path, systemd=False)
    host.run(script, *words)
    assert (host.running(), host.log(), host.lists()) == (BEFORE, [], [])


def test_the_first_installation_starts_nothing(host: Host) -> None:
    host.run("gprov.postinst", "configure")
    assert host.running() == BEFORE
    assert host.log() == ["--system daemon-reload"]
