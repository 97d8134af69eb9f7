"""``gprov manuf check`` on addresses, as its own process, against a web server on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override


class Quiet(SimpleHTTPRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def check(url: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "gprov.apps.host.cli.main", "manuf", "check", url]
    # Proxies of the environment are not used.
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:2", "no_proxy": ""}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env=environment)


def test_good_bad_and_missing(address: str, tmp_path: Path) -> None:
    digest = {"Sha256": "a" * 64}
    document = {
        "Files": [
            {"Src": f"{address}/WIDGET.LNX.SHINY.2024-02-29.1.upd", **digest},
            {"Src": f"{address}/norm_boot", **digest},
        ],
        "LogEndpoint": address,
        "ValidationData": [
            {"DevCodeName": "X", "Recovery": {"Size": 1 << 30}, "MainDiskConfigs": [[{"Size": 1 << 34}]]}
        ],
    }
    (tmp_path / "good.json").write_text(json.dumps(document))
    (tmp_path / "bad.json").write_text(json.dumps({**document, "Files": document["Files"][:1]}))
    good = check(f"{address}/good.json")
    assert (good.returncode, good.stderr) == (0, "")
    bad = check(f"{address}/bad.json")
    assert bad.returncode == 1
    assert bad.stdout.startswith("$.Files: hold no boot kernel")
    missing = check(f"{address}/none.json")
    assert missing.returncode == 3
    assert missing.stderr == f"gprov: {address}/none.json: answered with status 404\n"


def test_an_unreachable_server_is_reported() -> None:
    outcome = check("http://joe:secret@127.0.0.1:1/x")
    assert (outcome.returncode, outcome.stderr) == (3, "gprov: http://***@127.0.0.1:1/x: Connection refused\n")
