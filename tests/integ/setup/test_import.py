"""gprov server import-gprovision: a folder as gprovision's servers leave it, taken over and checked.

Layout: gprovision, doc/manufDataSample.json (URLs), pkg/oss/pblog/server (database, documents).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.apps.host.simulation.factory_files import hardware_specification
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_entry
from tests.integ.setup.commands import check, free_port, gprov, read_json, running_server
from tests.integ.setup.simulated_unit import life

OLD = "http://10.0.2.2:8901"
KERNEL = build_kernel(100)
PUBLISHED = {
    f"linux_mfg/Image/{IMAGE_NAME}": build_image(KERNEL),
    "norm_boot": KERNEL,
    "provision.pxe": KERNEL,
    "linux_mfg/stash.txz": b"an archive",
    "sampleCmd.sh": b"#!/bin/sh\n",
}
CONTENT = "WARNING storage of credentials"


def entry(path: str) -> dict[str, str]:
    return {"Src": f"{OLD}/{path}", "Sha1": hashlib.sha1(PUBLISHED[path], usedforsecurity=False).hexdigest()}


def manuf() -> dict[str, Any]:
    step = {"Name": "n", "When": "RunAfterImaging", "Files": [entry("sampleCmd.sh")], "Commands": [{"Command": "true"}]}
    return {
        "_comment1": "kept",
        "Files": [entry(f"linux_mfg/Image/{IMAGE_NAME}"), entry("norm_boot")],
        "LogEndpoint": "10.0.2.2:65432",
        "CredentialEndpoint": "pblog",
        "StashFiles": [entry("linux_mfg/stash.txz")],
        "ValidationData": [hardware_specification(default_table()[0], nics=1, own_nics=1)],
        "CustomPlatCfgSteps": [{"DevCodeName": default_table()[0].code_name, "ConfigSteps": [step]}],
    }


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A web server's folder, with the log server's database and documents in it."""
    folder = tmp_path / "old"
    for path, content in PUBLISHED.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "manufData.json").write_text(json.dumps(manuf(), indent=1))
    (folder / "infra").mkdir()
    table = {"Variants": [platform_entry(default_table()[0])]}
    (folder / "infra/appliance.json").write_text(json.dumps(table))
    (folder / "pb.db").mkdir()
    (folder / "pb.db/000000000.data").write_text(f"{CONTENT} SN-1_pas")
    (folder / "pb.db/config.json").write_text("{}")
    (folder / "SN-1_qav.htm").write_text("<html>QA</html>")
    (folder / "private.key").write_text("secret")
    (folder / "link.upd").symlink_to("/etc/hostname")
    return folder


def state(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.lstat().st_mtime_ns, _bytes(path))
        for path in folder.rglob("*")
    }


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


def take(old: Path, data: Path, server: str, *options: str, expected: int = 0) -> list[dict[str, Any]]:
    done = gprov(
        "server", "import-gprovision", old, "--data", data, "--server", server, "--json", *options, expected=expected
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)["files"]
    return rows


@pytest.mark.nightly
def test_a_unit_is_provisioned_from_an_imported_folder(tmp_path: Path, old: Path) -> None:
    document = manuf()
    del document["StashFiles"], document["CustomPlatCfgSteps"]  # the simulated machine runs no programs
    (old / "manufData.json").write_text(json.dumps(document))
    server = f"http://127.0.0.1:{free_port()}"
    data = tmp_path / "factory"
    data.mkdir()
    settings = f'[listen]\nport = {server.rpartition(":")[2]}\npublic_url = "{server}"\n'
    (data / "server.toml").write_text(f'{settings}[access]\nmode = "isolated"\n')
    before = state(old)
    rows = {row["source"]: row for row in take(old, data, server)}
    assert state(old) == before
    assert [each["message"] for each in check(data, "--no-network") if each["level"] == "problem"] == []
    assert rows["pb.db/"]["verdict"] == rows["private.key"]["verdict"] == rows["link.upd"]["verdict"] == "not taken"
    assert "each unit gets new passwords" in rows["pb.db/"]["reason"].lower()
    assert (data / "documents/SN-1~SN-1_qav.htm").read_text() == "<html>QA</html>"
    assert (data / "documents/SN-1~SN-1_qav.htm").stat().st_mode & 0o777 == 0o600
    assert read_json(data / "appliance.json") == read_json(old / "infra/appliance.json")
    everything = b"".join(_bytes(path) for path in data.rglob("*"))
    assert CONTENT.encode() not in everything
    assert b"secret" not in everything
    with running_server(data, "--key-file", str(tmp_path / "key")):
        world = life({"mfgurl": f"{server}/files/manufData.json"})
    assert world.machine.volume_tree("RECOVERY").get(f"/Image/{IMAGE_NAME}") is not None
    assert list((data / "documents").glob(f"{SERIAL}*"))


def test_what_manuf_data_says_afterwards(tmp_path: Path, old: Path) -> None:
    data = tmp_path / "factory"
    data.mkdir()
    rows = take(old, data, "http://10.1.0.1:8901/")
    kernels = {str(row["target"]).rpartition("/")[2] for row in rows if "gprov build kernel" in row["reason"]}
    assert kernels == {"norm_boot", "provision.pxe"}
    found = read_json(data / "files/manufData.json")
    assert (found["LogEndpoint"], found["_comment1"]) == ("http://10.1.0.1:8901/", "kept")
    assert "CredentialEndpoint" not in found
    (script,) = found["CustomPlatCfgSteps"][0]["ConfigSteps"][0]["Files"]
    for each in (*found["Files"], *found["StashFiles"], script):
        path = each["Src"].removeprefix("http://10.1.0.1:8901/files/")
        content = PUBLISHED[path]
        assert (data / "files" / path).read_bytes() == content
        assert (each["Size"], each["Sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert each["Sha1"] == entry(path)["Sha1"]
    assert found["ValidationData"] == manuf()["ValidationData"]


def test_a_second_run_is_harmless(tmp_path: Path, old: Path) -> None:
    data = tmp_path / "factory"
    data.mkdir()
    take(old, data, "http://10.1.0.1:8901")
    before = state(data)
    rows = take(old, data, "http://10.1.0.1:8901")
    assert state(data) == before
    assert {row["verdict"] for row in rows} == {"present", "not taken"}
    (data / "files/norm_boot").write_bytes(b"changed")
    (changed,) = [row for row in take(old, data, "http://10.1.0.1:8901", expected=1) if row["source"] == "norm_boot"]
    assert (changed["verdict"], changed["reason"]) == ("not taken", "there is another file already")
    assert (data / "files/norm_boot").read_bytes() == b"changed"


def test_templates_of_init_are_replaced(tmp_path: Path, old: Path) -> None:
    data = tmp_path / "factory"
    key = ("--key-file", tmp_path / "key")
    gprov(
        *("server", "init", data, "--server", "http://127.0.0.1:8901", "--interface", "lo", "--isolated"),
        *("--range", "10.0.0.2,10.0.0.9", *key),
    )
    gprov("server", "import-gprovision", old, "--data", data)  # with the URL of the settings
    assert read_json(data / "files/manufData.json")["LogEndpoint"] == "http://127.0.0.1:8901/"
    assert "Variants" in read_json(data / "appliance.json")
    assert [each["message"] for each in check(data, "--no-network", *map(str, key)) if each["level"] == "problem"] == []


def test_files_that_are_missing_are_named(tmp_path: Path, old: Path) -> None:
    (old / "norm_boot").unlink()
    data = tmp_path / "factory"
    data.mkdir()
    rows = take(old, data, "http://10.1.0.1:8901", expected=1)
    (missing,) = [row for row in rows if row["needed"] and row["verdict"] == "not taken"]
    assert missing["source"] == f"{OLD}/norm_boot"
    assert "the entry stays as it is" in missing["reason"]
    assert read_json(data / "files/manufData.json")["Files"][1]["Src"] == f"{OLD}/norm_boot"
    (old / "norm_boot").write_bytes(b"found again")
    (kept,) = [row for row in take(old, data, "http://10.1.0.1:8901", expected=1) if row["source"] == "manufData.json"]
    assert "remove it and run this again" in kept["reason"]
    (data / "files/manufData.json").unlink()
    take(old, data, "http://10.1.0.1:8901")
    assert read_json(data / "files/manufData.json")["Files"][1]["Size"] == len(b"found again")


def test_a_folder_without_or_with_several_documents(tmp_path: Path, old: Path) -> None:
    data = tmp_path / "factory"
    data.mkdir()
    shutil.copy(old / "manufData.json", old / "infra/other.json")
    take(old, data, "http://10.1.0.1:8901")  # the one with the usual name
    (old / "manufData.json").rename(old / "first.json")
    several = gprov("server", "import-gprovision", old, "--data", data, "--server", "http://a", expected=1)
    assert "has several (first.json, infra/other.json): name one with --manuf" in several.stderr
    take(old, data, "http://10.1.0.1:8901", "--manuf", "first.json")
    (old / "first.json").unlink()
    (old / "infra/other.json").unlink()
    none = gprov("server", "import-gprovision", old, "--data", data, "--server", "http://a", expected=1)
    assert "has none" in none.stderr
