"""The real gooseBit takes our bundles and serves them, and lacks what the documentation says that it lacks."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from gprov.domain.image.name import ImageName
from gprov.domain.update.bundle import FoundHead, read_head
from gprov.domain.update.sw_description import (
    REVISION_ATTRIBUTE,
    VERSION_ATTRIBUTE,
    release_version,
    sw_description,
)
from tests.integ.update.goosebit import GooseBit, environment
from tests.integ.update.minimal_client import Device, artifacts, link
from tests.integ.update.owner import PLATFORM, Owner

NASTY = ["QEMU", 'with "quotes"', "back\\slash", "tab\tnewline\n", "\x01\x1f", "Grüße 単位"]


def registered(server: GooseBit, name: str, revision: str = PLATFORM) -> Device:
    device = Device(server.url, name)
    device.register(**{REVISION_ATTRIBUTE: revision, VERSION_ATTRIBUTE: "0.0.1"})
    return device


def test_it_reads_a_bundle(goosebit: GooseBit, owner: Owner) -> None:
    image = owner.image("2026-01-15.0001")
    bundle = owner.bundle(image)
    number = goosebit.upload(bundle)
    found = next(each for each in goosebit.software() if each["id"] == number)
    assert found["version"] == "2026.115.1"
    assert found["name"] == bundle.name
    assert (found["size"], found["hash"]) == (bundle.stat().st_size, hashlib.sha1(bundle.read_bytes()).hexdigest())
    assert [(each["model"], each["revision"]) for each in found["compatibility"]] == [("default", PLATFORM)]


def test_it_refuses_a_version_twice_and_other_files(goosebit: GooseBit, owner: Owner) -> None:
    image = owner.image("2026-01-16.1")
    bundle = owner.bundle(image)
    goosebit.upload(bundle)
    with pytest.raises(requests.HTTPError, match="409"):
        goosebit.upload(bundle)
    with pytest.raises(requests.HTTPError, match="422"):
        goosebit.upload(image)


PROGRAM = """
import json, sys
import libconf
from goosebit.updates.swdesc.swu import parse_descriptor
from goosebit.util.version import Version
given = json.load(sys.stdin)
order = [[Version.parse(a) < Version.parse(b), a == Version.parse(b)] for a, b in given["pairs"]]
read = libconf.loads(given["description"])
found = parse_descriptor(read)
revisions = [each["hw_revision"] for each in found["compatibility"]]
print(json.dumps({"order": order, "read": [str(found["version"]), revisions, read["software"]["description"]]}))
"""


def test_its_own_code_reads_any_names_and_orders_versions_as_images() -> None:
    """Also those with builds above 65535, which it can only read as semantic versions."""
    days = (date(2024, 2, 29), date(2025, 9, 30), date(2025, 10, 1), date(2026, 1, 1), date(2026, 12, 31))
    builds = (0, 1, 9, 10, 1231, 65535, 65536, 20260115)
    names = sorted(ImageName(day, build, str(build), "X.") for day in days for build in builds)
    versions = [release_version(name) for name in names]
    pairs = [*pairwise(versions), (versions[0], versions[-1])]
    name = ImageName(date(2026, 1, 15), 7, "7", 'WIDGET "\\".')
    given = {"pairs": pairs, "description": sw_description(name, NASTY).decode()}
    words = [str(environment() / "bin/python"), "-c", PROGRAM]
    done = subprocess.run(words, input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["order"] == [[True, False]] * len(pairs)
    assert found["read"] == ["2026.115.7", NASTY, name.stem]


def test_the_tool_cpio_unpacks_a_bundle(owner: Owner, tmp_path: Path) -> None:
    image = owner.image("2026-01-17.1", ballast=100_001)
    bundle = owner.bundle(image)
    content = bundle.read_bytes()
    listed = subprocess.run(["cpio", "-t"], input=content, capture_output=True, check=True).stdout.decode()
    files = owner.files(image)
    names = ["sw-description", "trust.chain", files[1].name, files[2].name, files[0].name]
    assert listed.splitlines() == names
    subprocess.run(["cpio", "-i"], input=content, cwd=tmp_path, capture_output=True, check=True)
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    for path in (*files, owner.chain):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_device_is_offered_the_bundle_of_its_platform(goosebit: GooseBit, owner: Owner) -> None:
    bundle = owner.bundle(owner.image("2026-01-18.1", ballast=200_000))
    number = goosebit.upload(bundle)
    device = Device(goosebit.url, "life-1")
    assert device.poll().keys() == {"configData"}
    rollout = goosebit.roll_out(number, "life")
    device.register(**{REVISION_ATTRIBUTE: PLATFORM, VERSION_ATTRIBUTE: "2026.101.1"})
    other = registered(goosebit, "life-2", "OTHER")
    for name in ("life-1", "life-2"):
        goosebit.set_feed(name, "life")
    assert other.poll() == {}
    url = device.poll()["deploymentBase"]
    offered = device.get("deploymentBase", url)
    assert offered["id"] == str(number)
    assert (offered["deployment"]["download"], offered["deployment"]["update"]) == ("forced", "forced")
    artifact = artifacts(offered["deployment"])[bundle.name]
    content = bundle.read_bytes()
    assert artifact["hashes"] == {"sha1": hashlib.sha1(content).hexdigest()}
    head = device.download(link(artifact)).content[:50_000]
    rest = device.download(link(artifact), 50_000)
    assert (rest.status_code, head + rest.content) == (206, content)
    found = read_head(bundle.name, content)
    assert isinstance(found, FoundHead)
    assert device.feedback(url, "proceeding", "none", "Downloaded 40%") == 200
    running = goosebit.device("life-1")
    assert (running["last_state"], running["progress"]) == ("Running", 40)
    assert device.feedback(url, "closed", "success", "restored") == 200
    assert device.poll() == {}
    done = goosebit.device("life-1")
    assert (done["last_state"], done["progress"], done["sw_version"]) == ("Finished", 100, "2026.118.1")
    assert "restored" in goosebit.device_log("life-1")
    assert (goosebit.rollout(rollout)["success_count"], goosebit.rollout(rollout)["failure_count"]) == (1, 0)


def test_a_failure_is_final_until_it_is_forced(goosebit: GooseBit, owner: Owner) -> None:
    number = goosebit.upload(owner.bundle(owner.image("2026-01-19.1")))
    device = registered(goosebit, "failing")
    goosebit.assign("failing", number)
    url = device.poll()["deploymentBase"]
    assert device.feedback(url, "closed", "failure", "no room") == 200
    assert goosebit.device("failing")["last_state"] == "Error"
    assert device.poll() == {}
    goosebit.force("failing")
    assert device.poll()["deploymentBase"] == url, "the same action id once more"


def test_it_is_killed_and_goes_on(own_goosebit: GooseBit, owner: Owner) -> None:
    bundle = owner.bundle(owner.image("2026-01-20.1"))
    number = own_goosebit.upload(bundle)
    device = registered(own_goosebit, "unit")
    own_goosebit.assign("unit", number)
    url = device.poll()["deploymentBase"]
    assert device.feedback(url, "proceeding") == 200
    own_goosebit.kill()
    with pytest.raises(requests.ConnectionError):
        device.poll()
    own_goosebit.start()
    assert device.poll()["deploymentBase"] == url
    assert own_goosebit.device("unit")["last_state"] == "Running"
    own_goosebit.kill()
    own_goosebit.require_tokens()
    own_goosebit.start()
    assert device.status(device.base) == 401
    own_goosebit.add_device("unit", "secret of the unit")
    assert Device(own_goosebit.url, "unit", "TargetToken secret of the unit").poll()["deploymentBase"] == url


def test_what_it_lacks(goosebit: GooseBit, owner: Owner) -> None:
    """docs/how-to/publish-updates.md says so: a later version that has it fails this test."""
    number = goosebit.upload(owner.bundle(owner.image("2026-01-21.1")))
    rollout = goosebit.roll_out(number, "lacking")
    device = registered(goosebit, "lacking")
    goosebit.set_feed("lacking", "lacking")
    url = device.poll()["deploymentBase"]
    for channel in ("cancelAction", "confirmationBase", "installedBase"):
        assert device.status(f"{device.base}/{channel}/{number}") == 404
    assert device.status(f"{device.base}/confirmationBase") == 404
    deployment = device.get("deploymentBase", url)["deployment"]
    assert "maintenanceWindow" not in deployment
    for _ in range(2):
        assert device.feedback(url, "closed", "success") == 200
    assert goosebit.rollout(rollout)["success_count"] == 2, "an answer that comes twice counts twice"
