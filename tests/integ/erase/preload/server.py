"""A simulated drive on this machine, for programs that send it SG_IO: their ``ioctl`` is replaced by LD_PRELOAD."""

from __future__ import annotations

import os
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from gprov.domain.erase.drive_io import NoReply, ScsiCommand
from tests.integ.erase.iscsi.session import Drive

SOURCE = Path(__file__).parent / "sg_io.c"
_NUMBERS = struct.Struct("=3I")
_SECONDS = 300.0


def build(folder: Path) -> Path:
    """The library, made by the C compiler."""
    library = folder / "sg_io.so"
    argv = ("cc", "-shared", "-fPIC", "-O1", "-Wall", "-o", str(library), str(SOURCE), "-ldl")
    subprocess.run(argv, check=True, timeout=60)
    return library


@dataclass(frozen=True, slots=True)
class Tools:
    """Runs programs on the drive."""

    library: Path
    node: Path
    socket: Path

    def __call__(self, *argv: str) -> tuple[int, str]:
        """Exit status and output."""
        names = {"LD_PRELOAD": self.library, "DRIVE_NODE": self.node, "DRIVE_SOCKET": self.socket}
        environment = {**os.environ, **{name: str(path) for name, path in names.items()}}
        done = subprocess.run(
            (*argv, str(self.node)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout


@contextmanager
def offered(drive: Drive, library: Path, folder: Path) -> Iterator[Tools]:
    class Handler(socketserver.StreamRequestHandler):
        @override
        def handle(self) -> None:
            cdb_size, data_in, data_out = _NUMBERS.unpack(self.rfile.read(_NUMBERS.size))
            cdb, data = self.rfile.read(cdb_size), self.rfile.read(data_out)
            reply = drive.scsi(ScsiCommand(cdb, data_in, data, _SECONDS))
            if not isinstance(reply, NoReply):  # else the connection ends, and the program gets an I/O error
                self.wfile.write(_NUMBERS.pack(reply.status, len(reply.sense), len(reply.data)))
                self.wfile.write(reply.sense + reply.data)

    tools = Tools(library, folder / "node", folder / "socket")
    tools.node.touch()
    with socketserver.UnixStreamServer(str(tools.socket), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield tools
        finally:
            server.shutdown()
            thread.join()
