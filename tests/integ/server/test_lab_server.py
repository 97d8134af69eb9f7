"""The factory server of a lab unit, and its port."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.factory_server import copy_data, factory_server, key_file
from gprov.domain.errors import ToolFailed

CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


def test_a_unit_finds_its_server_at_the_same_port_which_no_client_gets(tmp_path: Path) -> None:
    folder, log = str(tmp_path / "server"), str(tmp_path / "log")
    with factory_server(SystemProcesses(), folder, log) as first:
        pass
    lowest = int(CLIENT_PORTS.read_text().split()[0])
    assert 1024 <= first.port < lowest
    with factory_server(SystemProcesses(), folder, log) as second:
        assert second.port == first.port


def test_a_new_unit_gets_another_port_if_its_first_one_is_in_use(tmp_path: Path) -> None:
    folder, log = tmp_path / "server", str(tmp_path / "log")
    with factory_server(SystemProcesses(), str(folder), log) as server:
        taken = server.port
    (folder / "port").unlink()
    with closing(listening(taken)), factory_server(SystemProcesses(), str(folder), log) as server:
        assert server.port != taken


def test_a_unit_whose_port_is_in_use_gets_no_other_one(tmp_path: Path) -> None:
    folder, log = str(tmp_path / "server"), str(tmp_path / "log")
    with factory_server(SystemProcesses(), folder, log) as server:
        taken = server.port
    with (
        closing(listening(taken)),
        pytest.raises(ToolFailed, match=f"did not start on port {taken}") as failed,
        factory_server(SystemProcesses(), folder, log),
    ):
        pass
    assert "Address already in use" in failed.value.output


def test_a_copy_of_the_data_serves_with_the_key_of_its_store(tmp_path: Path) -> None:
    folder, copy, log = str(tmp_path / "one" / "server"), str(tmp_path / "two" / "server"), str(tmp_path / "log")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with factory_server(SystemProcesses(), folder, log):
        pass
    copy_data(folder, copy)
    with factory_server(SystemProcesses(), copy, log) as server:
        assert server.folder == copy
    assert Path(key_file(copy)).read_bytes() == Path(key_file(folder)).read_bytes()
    assert Path(key_file(copy)).stat().st_mode & 0o777 == 0o600
