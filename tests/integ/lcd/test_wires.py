"""Lines of the simulated display: pseudo-terminal, TCP, Unix sockets; with pyserial and plain sockets as hosts."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
import serial

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.faults import LcdFaults
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.lcd.station import LcdStation
from gprov.apps.host.lcd.wire import ConnectedWire, ListeningWire, PtyWire, Wire
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Packet, PacketReader
from gprov.domain.formats.lcd.reports import Button, KeyReport, parse_key_report

CLOCK = SystemClock()
PING = commands.ping(b"gprov")
ANSWER = bytes.fromhex("4005") + b"gprov"
_SECONDS = 10.0


def station(wire: Wire, faults: LcdFaults | None = None) -> LcdStation:
    return LcdStation(SimulatedLcd(Model.CFA_635, CLOCK, faults or LcdFaults()), wire, CLOCK)


def test_pyserial_talks_to_a_pseudo_terminal(tmp_path: Path) -> None:
    link = str(tmp_path / "lcd")
    with (
        station(PtyWire(link)) as lcd,
        serial.Serial(link, 115200, timeout=_SECONDS, exclusive=True) as port,
    ):
        port.write(PING.serialise())
        assert port.read(9)[:7] == ANSWER
        port.write(bytes(range(256)))  # no byte is a control character of the terminal
        lcd.press(Button.EXIT)
        reports = PacketReader().feed(port.read_until(bytes([0x80, 1, 12])) + port.read(2))
        assert [parse_key_report(each) for each in reports][-1] == KeyReport(Button.EXIT, False)
    assert not os.path.lexists(link)


def test_a_link_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    link, file = tmp_path / "lcd", tmp_path / "file"
    link.symlink_to("/dev/pts/none")
    file.write_text("mine")
    PtyWire(str(link)).close()
    with pytest.raises(DeviceFault, match="file"):
        PtyWire(str(file))
    assert file.read_text() == "mine"


def test_a_display_that_hangs_up_ends_the_pseudo_terminal() -> None:
    with station(PtyWire(), LcdFaults(hang_up_at=0)) as lcd:
        with serial.Serial(lcd.name, 115200, timeout=_SECONDS) as port:
            port.write(PING.serialise())
            with pytest.raises(serial.SerialException):
                port.read(1)
        assert lcd.is_ended


def test_a_host_that_reads_nothing_does_not_stop_the_display() -> None:
    with station(PtyWire()) as lcd:
        for number in range(3000):
            lcd.press(Button.UP, seconds=0)
            if number % 1000 == 0:
                assert not lcd.is_ended
        with serial.Serial(lcd.name, 115200, timeout=_SECONDS) as port:
            port.reset_input_buffer()
            port.write(commands.write_text(Model.CFA_635, 0, 0, b"still there").serialise())
            lcd.wait_for("still there", _SECONDS)


def ask(connection: socket.socket, packet: Packet) -> bytes:
    connection.settimeout(_SECONDS)
    connection.sendall(packet.serialise())
    return connection.recv(100)


def test_hosts_connect_to_a_tcp_socket_one_after_the_other() -> None:
    with station(ListeningWire.on_tcp("127.0.0.1", 0)) as lcd:
        host, _, port = lcd.name.rpartition(":")
        for _ in range(3):
            with socket.create_connection((host, int(port))) as connection:
                assert ask(connection, PING)[:7] == ANSWER
        assert not lcd.is_ended


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        name = f"127.0.0.1:{used.getsockname()[1]}"
        with pytest.raises(DeviceFault, match=name):
            ListeningWire.on_tcp("127.0.0.1", used.getsockname()[1])


def test_a_unix_socket_is_listened_on(tmp_path: Path) -> None:
    path = str(tmp_path / "lcd")
    for _ in range(2):
        with station(ListeningWire.on_unix(path)), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            assert ask(connection, PING)[:7] == ANSWER
    assert not os.path.exists(path)


def test_a_dead_socket_is_replaced_and_a_live_one_or_a_file_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "lcd")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    wire = ListeningWire.on_unix(path)
    with pytest.raises(DeviceFault, match="another program listens"):
        ListeningWire.on_unix(path)
    wire.close()
    (tmp_path / "lcd").write_text("mine")
    with pytest.raises(DeviceFault, match="is no socket"):
        ListeningWire.on_unix(path)


def test_it_connects_to_a_socket_and_ends_with_it(tmp_path: Path) -> None:
    path = str(tmp_path / "qemu")
    with pytest.raises(DeviceFault, match="qemu"):
        ConnectedWire.to_unix(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        with station(ConnectedWire.to_unix(path)) as lcd:
            with listener.accept()[0] as connection:
                assert ask(connection, PING)[:7] == ANSWER
            with pytest.raises(DeviceFault, match="the line ended"):
                lcd.wait_for("never", _SECONDS)


def test_keys_are_pressed_while_the_host_talks() -> None:
    """Answers and reports come from two threads: no packet is torn."""
    count = 100
    with station(PtyWire()) as lcd, serial.Serial(lcd.name, 115200, timeout=_SECONDS) as port:
        presses = threading.Thread(target=press_often, args=(lcd, count))
        presses.start()
        reader, packets = PacketReader(), list[Packet]()
        for number in range(count):
            port.write(PING.serialise())
            while sum(packet.data == b"gprov" for packet in packets) <= number:
                packets += reader.feed(port.read(1))
        presses.join()
        while len(packets) < 3 * count:
            packets += reader.feed(port.read(1))
        reports = [each.pressed for each in map(parse_key_report, packets) if each is not None]
        assert reports == [True, False] * count
        assert reader.skipped == 0


def press_often(lcd: LcdStation, count: int) -> None:
    for _ in range(count):
        lcd.press(Button.UP, seconds=0.001)
