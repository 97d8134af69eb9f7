"""gprov-factory-restore and gprov-erase; what they write is read by init's parser."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.domain.boot.args import PreferredImage
from gprov.domain.boot.boot_counts import REQUEST_FILE, REQUEST_KINDS, REQUESTS_ACCEPTED
from gprov.domain.boot.boot_request import BootRequest, EraseRequested, RestoreRequested, parse_boot_request
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_facts
from gprov.domain.platform.identify import Unit
from tests.integ.image.tool_root import KINDS, ToolRoot, capable, make_root

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not capable(), reason="needs root, busybox, unshare"),
]

SERIAL = "GP 0007/x"
RESTORE, ERASE = "gprov-factory-restore", "gprov-erase"
CONFIRMED = {RESTORE: ("--yes",), ERASE: ("--serial", SERIAL)}
TOOLS = [RESTORE, ERASE]


@pytest.fixture(params=KINDS)
def root(tmp_path: Path, request: pytest.FixtureRequest) -> ToolRoot:
    made = make_root(tmp_path, request.param)
    unit = Unit(platform=default_table()[0], manufacturer="", product="", sku="", serial=SERIAL)
    (made.config / "platform_facts.json").write_bytes(platform_facts(unit))
    (made.folder / REQUESTS_ACCEPTED.lstrip("/")).write_bytes(REQUEST_KINDS)
    (made.recovery / "Image/WIDGET.LNX.SHINY.2026-02-01.10.upd").write_bytes(build_image(build_kernel(7)))
    return made


def requested(root: ToolRoot) -> BootRequest | None:
    path = root.config / REQUEST_FILE
    assert not path.with_suffix(".new").exists()
    return parse_boot_request(path.name, path.read_bytes()) if path.exists() else None


def refused(root: ToolRoot, *words: str) -> tuple[int, str]:
    """Exit status and message of a tool that must request nothing."""
    done = root.run(*words)
    assert done.returncode > 0
    assert requested(root) is None
    return done.returncode, done.stderr


def typed(root: ToolRoot, answer: str, *words: str) -> int:
    """Exit status of a tool at a terminal, where a person types this."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "wb", buffering=0) as keyboard, os.fdopen(theirs, "rb") as terminal:
        keyboard.write(f"{answer}\n".encode())
        script = " && ".join([*root.mounts, f"mount --bind {root.recovery} {root.folder}/mnt/RECOVERY"])
        argv = ["unshare", "--mount", "sh", "-c", f'{script} && exec chroot {root.folder} "$@"', "sh", *words]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        return subprocess.run(
            argv, stdin=terminal, capture_output=True, env=environment, timeout=60, check=False
        ).returncode


def test_a_restore_is_requested_and_withdrawn(root: ToolRoot) -> None:
    assert "--cancel withdraws it" in root.output(RESTORE, "--yes")
    assert requested(root) == RestoreRequested(serial=SERIAL)
    assert root.output(RESTORE, "--status").startswith("request=restore\n")
    assert root.output("gprov-currentboot", "request") == "restore\n"
    assert "withdrawn" in root.output(RESTORE, "--cancel")
    assert requested(root) is None
    assert "nothing was requested" in root.output(RESTORE, "--cancel")
    assert root.output(RESTORE, "--status") == "nothing is requested\n"


def test_the_oldest_image(root: ToolRoot) -> None:
    root.output(RESTORE, "--oldest", "--yes")
    assert requested(root) == RestoreRequested(serial=SERIAL, image=PreferredImage.OLDEST)


def test_an_erase_is_requested_with_options_and_replaces_another_request(root: ToolRoot) -> None:
    root.output(RESTORE, "--yes")
    root.output(ERASE, "--serial", SERIAL, "--options", "level:purge,clear-tpm:yes")
    assert requested(root) == EraseRequested(serial=SERIAL, options="level:purge,clear-tpm:yes")
    root.output(ERASE, "--cancel")
    assert requested(root) is None


@pytest.mark.parametrize("tool", TOOLS)
def test_without_a_confirmation_nothing_is_requested(root: ToolRoot, tool: str) -> None:
    assert refused(root, tool) == (1, f"{tool}: not confirmed: nothing is requested\n")


@pytest.mark.parametrize(("tool", "answer"), [(RESTORE, "yes"), (ERASE, SERIAL)])
def test_a_person_confirms_at_a_terminal(root: ToolRoot, tool: str, answer: str) -> None:
    assert typed(root, answer.swapcase(), tool) == 1
    assert requested(root) is None
    assert typed(root, answer, tool) == 0
    assert requested(root) is not None


def test_the_serial_number_of_another_unit_confirms_nothing(root: ToolRoot) -> None:
    assert refused(root, ERASE, "--serial", "GP")[0] == 1
    assert refused(root, ERASE, "--serial")[0] == 2
    assert refused(root, ERASE, "--serial", SERIAL, "--options", "a:b\nserial=x")[0] == 2


@pytest.mark.parametrize("tool", TOOLS)
def test_a_kernel_that_reads_no_requests_is_not_asked(root: ToolRoot, tool: str) -> None:
    (root.folder / REQUESTS_ACCEPTED.lstrip("/")).unlink()
    status, text = refused(root, tool, *CONFIRMED[tool])
    assert (status, "does not read requests" in text) == (3, True)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_system_that_gprov_did_not_restore_has_no_serial_number(root: ToolRoot, tool: str) -> None:
    (root.config / "platform_facts.json").unlink()
    status, text = refused(root, tool, *CONFIRMED[tool])
    assert (status, "no serial number" in text) == (3, True)


def test_a_restore_is_refused_without_an_image_or_without_recovery(root: ToolRoot) -> None:
    (root.recovery / "Image/WIDGET.LNX.SHINY.2026-02-01.10.upd").write_bytes(b"no image")
    assert refused(root, RESTORE, "--yes") == (
        1,
        f"{RESTORE}: /mnt/RECOVERY/Image holds no image: there is nothing to restore\n",
    )
    root.recovery_mounted = False
    assert refused(root, RESTORE, "--yes") == (3, f"{RESTORE}: /mnt/RECOVERY is not mounted\n")


@pytest.mark.parametrize("tool", TOOLS)
def test_a_restart_that_is_not_possible_is_refused_before(tmp_path: Path, tool: str) -> None:
    status, text = refused(make_root(tmp_path, KINDS[0]), tool, *CONFIRMED[tool], "--reboot")
    assert (status, "needs the program systemctl" in text) == (3, True)


def test_a_pipe_among_the_images_does_not_stop_the_tool(root: ToolRoot) -> None:
    """The folder of images may belong to admin."""
    os.mkfifo(root.recovery / "Image/WIDGET.LNX.SHINY.2020-01-01.1.upd")
    root.output(RESTORE, "--yes")
    assert requested(root) is not None


@pytest.mark.parametrize("tool", TOOLS)
def test_a_full_disk_requests_nothing_and_leaves_nothing(root: ToolRoot, tool: str) -> None:
    facts, copy = root.config / "platform_facts.json", root.folder / "tmp/facts"
    copy.write_bytes(facts.read_bytes())
    root.mounts += [f"mount -t tmpfs -o size=4k none {root.config}", f"cp {copy} {facts}"]
    done = root.run("sh", "-c", '"$@"; echo $?; ls /etc/provisioning', "sh", tool, *CONFIRMED[tool])
    assert done.stdout.splitlines() == ["3", "platform_facts.json"]
    assert "nothing is requested" in done.stderr


@pytest.mark.parametrize("tool", TOOLS)
def test_a_status_that_cannot_be_read_requests_nothing(root: ToolRoot, tool: str) -> None:
    """Neither does it with options of a request."""
    folder = root.config / REQUEST_FILE
    folder.mkdir()
    done = root.run(tool, *CONFIRMED[tool], "--status")
    assert done.returncode == 3
    assert list(folder.iterdir()) == []
    assert "requested" not in done.stdout
