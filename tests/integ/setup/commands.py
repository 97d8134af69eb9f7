"""The commands of `gprov server` as processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

GPROV = str(Path(sys.executable).with_name("gprov"))
SECONDS = 60.0


def gprov(*words: str | Path, expected: int = 0) -> subprocess.CompletedProcess[str]:
    command = [GPROV, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == expected, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def check(data: Path, *options: str, expected: int = 0) -> list[dict[str, str]]:
    """What `gprov server check` finds."""
    done = gprov("server", "check", "--data", data, "--json", *options, expected=expected)
    findings: list[dict[str, str]] = json.loads(done.stdout)["findings"]
    return findings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running_server(data: Path, *options: str, under: tuple[str, ...] = (), program: str = GPROV) -> Iterator[str]:
    """Its address as it announced it. ``under``: a program, with arguments, that runs ``program``, gprov."""
    with tempfile.TemporaryFile("w+") as log:
        command = [*under, program, "server", "run", "--data", str(data), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=dict(os.environ))
        try:
            assert process.stdout is not None
            line = ""
            with ThreadPoolExecutor(1) as pool:
                while "listening on" not in line:  # before, it says where iPXE asks
                    line = pool.submit(process.stdout.readline).result(SECONDS)
                    assert line, _whole(log)
            yield line.split()[-1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=SECONDS)


def _whole(log: TextIO) -> str:
    log.seek(0)
    return log.read()


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())
