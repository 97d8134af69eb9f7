"""The shell in which pages run: failures show, prompts are answered, and this machine stays as it was."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.integ.docs.sandbox import Surroundings, page_shell

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and mounts need root"),
]


def test_commands_of_a_page(tmp_path: Path) -> None:
    files, work = tmp_path / "files", tmp_path / "mounts"
    files.mkdir()
    work.mkdir()
    mark = Path("/etc/gprov-docs-mark")
    with page_shell(files, work, Surroundings()) as shell:
        first = shell.run(f"word=kept; echo changed >{mark}; cat {mark}; pwd; echo made >made\n", (), 30)
        assert (first.passed, first.output) == (True, "changed\n/root/tutorial\n")
        typed = shell.run('read -r -p "Word: " answer </dev/tty 2>/dev/tty; echo "$word $answer"\n', ("a b",), 30)
        assert (typed.passed, typed.output) == (True, "kept a b\n")
        assert shell.run("false || echo $?\n", (), 30).output == "1\n"
        assert shell.run("printf 'a\\r\\r\\nb\\n'\n", (), 30).output == "a\r\r\nb\n"
        assert "10.1.0.1" in shell.run("ip -brief address show eth1\n", (), 30).output
        failed = shell.run("echo before\nfalse\necho after\n", (), 30)
        assert not failed.passed
        assert failed.output.startswith("before\n")
        assert "after" not in failed.output
    assert not mark.exists()
    assert (files / "made").read_text() == "made\n"
    assert "eth1-peer" not in [name for _, name in socket.if_nameindex()]


def test_an_answer_that_nothing_asks_for_is_a_failure(tmp_path: Path) -> None:
    files, work = tmp_path / "files", tmp_path / "mounts"
    files.mkdir()
    work.mkdir()
    with page_shell(files, work, Surroundings()) as shell:
        assert not shell.run("true\n", ("a word",), 30).passed


def test_a_block_without_an_end_is_a_failure(tmp_path: Path) -> None:
    files, work = tmp_path / "files", tmp_path / "mounts"
    files.mkdir()
    work.mkdir()
    with page_shell(files, work, Surroundings()) as shell:
        done = shell.run("sleep 1000\n", (), 3)
    assert not done.passed
    assert "no end within 3 s" in done.output
