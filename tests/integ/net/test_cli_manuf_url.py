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


def check(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "gprov.apps.host.cli.main", "manuf", "check", url, *options]
    # Proxies of the environment are not used.
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:2", "no_proxy": ""}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env=environment)


def manuf(address: str, *files: dict[str, object]) -> dict[str, object]:
    entry = {"DevCodeName": "X", "Recovery": {"Size": 1 << 30}, "MainDiskConfigs": [[{"Size": 1 << 34}]]}
    return {"Files": files, "LogEndpoint": address, "ValidationData": [entry]}


def test_files_and_their_sizes_on_the_server(address: str, tmp_path: Path) -> None:
    name = "WIDGET.LNX.SHINY.2024-02-29.1.upd"
    (tmp_path / name).write_bytes(bytes(1000))
    (tmp_path / "norm_boot").write_bytes(bytes(50))
    digest = {"Sha256": "a" * 64}
    step = {"Name": "n", "When": "AfterQA", "Files": [{"Src": f"{address}/none.sh", **digest}], "Commands": []}
    image, kernel = ({"Src": f"{address}/{each}", **digest} for each in (name, "norm_boot"))
    document = manuf(address, {**image, "Size": 1000}, {**kernel, "Size": 50})
    (tmp_path / "good.json").write_text(json.dumps(document))
    good = check(f"{address}/good.json", "--network")
    assert (good.returncode, good.stderr) == (0, "")
    wrong = manuf(address, {**image, "Size": 999}, {**kernel, "Size": 50})
    wrong["CustomPlatCfgSteps"] = [{"DevCodeName": "X", "ConfigSteps": [step]}]
    (tmp_path / "bad.json").write_text(json.dumps(wrong))
    assert check(f"{address}/bad.json").returncode == 0
    bad = check(f"{address}/bad.json", "--network")
    assert bad.returncode == 1
    assert bad.stdout.splitlines() == [
        f"{address}/{name}: has 1000 bytes, and its Size is 999",
        f"{address}/none.sh: cannot be fetched: status 404",
    ]


def test_good_bad_and_missing(address: str, tmp_path: Path) -> None:
    digest = {"Sha256": "a" * 64}
    image: dict[str, object] = {"Src": f"{address}/WIDGET.LNX.SHINY.2024-02-29.1.upd", **digest}
    document = manuf(address, image, {"Src": f"{address}/norm_boot", **digest})
    (tmp_path / "good.json").write_text(json.dumps(document))
    (tmp_path / "bad.json").write_text(json.dumps(manuf(address, image)))
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
