"""docs/how-to/server-setup.md, as a newcomer follows it: its commands run in their order, with paths and addresses of
this test in place of those in the text, and the machine is a simulated one."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from tests.integ.docs.blocks import Kind, blocks_of
from tests.integ.setup.commands import GPROV, SECONDS, free_port, read_json, running_server
from tests.integ.setup.simulated_unit import kernel_arguments, life

DOCUMENT = Path(__file__).parents[3] / "docs/how-to/server-setup.md"
_JSON = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> dict[str, str]:
    """By their first words."""
    found = [block.text for block in blocks_of(DOCUMENT.read_text()) if block.kind is Kind.ELSEWHERE]
    texts = [re.sub(r"\\\n\s*", "", text).strip() for text in found]
    names = ("server init", "manuf entry", "account add", "server check", "server run", "curl")
    assert [next(name for name in names if name in text) for text in texts] == list(names)
    return dict(zip(names, texts, strict=True))


@pytest.mark.skipif(not Path("/usr/lib/ipxe").is_dir(), reason="needs the package ipxe")
def test_the_document_leads_to_a_provisioned_unit(tmp_path: Path) -> None:
    port, boot_port = free_port(), free_port()
    data = tmp_path / "factory"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gprov").symlink_to(GPROV)
    (tmp_path / "built").mkdir()
    kernel = build_kernel(100)
    for name, content in ((IMAGE_NAME, build_image(kernel)), ("norm_boot", kernel), ("provision.pxe", kernel)):
        (tmp_path / "built" / name).write_bytes(content)
    key = tmp_path / "server.key"

    def run(text: str, *more: str, given: str = "") -> str:
        places = {
            "/srv/factory": str(data),
            "10.1.0.1:8901": f"127.0.0.1:{port}",
            "10.1.0.1:8900": f"127.0.0.1:{boot_port}",
            "eth1": "lo",
            "serial=SN-1": f"serial={SERIAL}",
        }
        for old, new in places.items():
            text = text.replace(old, new)
        environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
        command = ["sh", "-c", f"{text} {' '.join(more)}"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    steps = commands()
    run(steps["server init"], f"--key-file {key}")
    with open(data / "server.toml", "a") as settings:
        settings.write(f"boot_port = {boot_port}\n")  # several tests run on this host
    table, entry = (json.loads(text) for text in _JSON.findall(DOCUMENT.read_text()))
    _edit(data / "appliance.json", lambda _: table)
    _edit(data / "files/manufData.json", lambda document: {**document, "ValidationData": [entry]})
    (printed,) = json.loads(run(steps["manuf entry"]))
    assert printed in read_json(data / "files/manufData.json")["Files"]
    run(steps["account add"], f"--key-file {key}", "--password-fd 0", given="a long enough password\n")
    assert ": 0 problem(s), 0 warning(s)" in run(steps["server check"], f"--key-file {key}", "--no-network", "2>&1")
    assert steps["server run"] == "gprov server run --data /srv/factory"
    with running_server(data, "--key-file", str(key)) as address:
        assert address == f"https://127.0.0.1:{port}"
        script = run(steps["curl"])
        life(kernel_arguments(script))
        (document,) = (data / "documents").iterdir()
        assert SERIAL in document.read_text()
        run(steps["server check"], f"--key-file {key}", "--no-network")


def _edit(path: Path, change: Any) -> None:
    path.write_text(json.dumps(change(read_json(path))))


def test_every_option_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    for command in ("init", "check", "import-gprovision"):
        help_text = subprocess.run(
            [GPROV, "server", command, "--help"], capture_output=True, text=True, timeout=SECONDS, check=True
        ).stdout
        options = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", help_text, re.MULTILINE)) - {"--help", "--json", "--data"}
        elsewhere = {"--image-prefix", "--boot-kernel", "--network"}
        assert {option for option in options - elsewhere if option not in text} == set(), command
