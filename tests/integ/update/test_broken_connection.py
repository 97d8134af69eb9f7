"""Connections break where a test says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integ.update.broken_connection import BrokenConnection, Fault, broken_connection
from tests.integ.update.minimal_client import Device, artifacts, link
from tests.integ.update.stand_in import StandIn, until

SIZE = 300_000
_BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture
def proxy(stand_in: StandIn) -> Iterator[BrokenConnection]:
    with broken_connection(stand_in.port) as proxy:
        yield proxy


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.upd"
    path.write_bytes(bytes(range(256)) * (SIZE // 256) + bytes(SIZE % 256))
    return path


def offered(stand_in: StandIn, proxy: BrokenConnection, file: Path) -> tuple[Device, str]:
    """A device behind the proxy, and where it finds the file."""
    stand_in.assign("unit", [file])
    device = Device(proxy.url, "unit")
    url = link(artifacts(device.get("deploymentBase", device.poll()["deploymentBase"])["deployment"])["a.upd"])
    assert url.startswith(proxy.url), "links keep to the proxy"
    return device, url


def until_it_breaks(reply: requests.Response) -> bytes:
    got = bytearray()
    try:
        for piece in reply.iter_content(1000):
            got += piece
    except _BROKEN:
        return bytes(got)
    raise AssertionError("the connection was to be cut")


def test_a_download_that_is_cut_goes_on(stand_in: StandIn, proxy: BrokenConnection, file: Path) -> None:
    device, url = offered(stand_in, proxy, file)
    proxy.faults.extend((Fault(after=100_000), Fault(after=50_000)))
    got = b""
    for _ in range(2):
        headers = {"Range": f"bytes={len(got)}-"}
        with requests.get(url, headers=headers, stream=True, timeout=30) as reply:
            got += until_it_breaks(reply)
    until(lambda: proxy.passed[-2:] == [100_000, 50_000])
    assert 140_000 < len(got) < 150_000
    got += device.download(url, len(got)).content
    assert got == file.read_bytes()


def test_a_request_that_does_not_arrive(stand_in: StandIn, proxy: BrokenConnection, file: Path) -> None:
    device, _ = offered(stand_in, proxy, file)
    url = device.poll()["deploymentBase"]
    proxy.faults.append(Fault(request=b"POST "))
    with pytest.raises(requests.ConnectionError):
        device.feedback(url, "closed", "success")
    assert stand_in.actions[0].finals == []
    assert device.feedback(url, "closed", "success") == 200


def test_a_reply_that_does_not_arrive(stand_in: StandIn, proxy: BrokenConnection, file: Path) -> None:
    device, _ = offered(stand_in, proxy, file)
    url = device.poll()["deploymentBase"]
    proxy.faults.append(Fault(reply_to=b'"closed"'))
    with pytest.raises(requests.ConnectionError):
        device.feedback(url, "closed", "success")
    assert len(stand_in.actions[0].finals) == 1
    assert device.feedback(url, "closed", "success") == 410


def test_connections_that_are_refused_and_cut(stand_in: StandIn, proxy: BrokenConnection, file: Path) -> None:
    device, url = offered(stand_in, proxy, file)
    proxy.otherwise = Fault(refused=True)
    with pytest.raises(requests.ConnectionError):
        device.poll()
    proxy.otherwise = Fault(pause=0.05)
    begin = time.monotonic()
    assert device.download(url).content == file.read_bytes()
    assert time.monotonic() - begin >= 0.05 * (SIZE // (16 << 10))
    with requests.get(url, stream=True, timeout=30) as reply:
        next(reply.iter_content(1000))
        proxy.cut_all()
        with pytest.raises(_BROKEN):
            assert reply.content
    stand_in.stop()
    proxy.otherwise = Fault()
    with pytest.raises(requests.ConnectionError):
        device.poll()
