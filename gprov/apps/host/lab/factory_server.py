"""Runs gprov's factory server as a process, with the files that a unit is provisioned from.

A unit reports to the port that it was provisioned from, also at later starts, with other processes of the server. So
the port is outside the range from which the kernel takes ports of clients: there, another process could have it by
chance between two of those starts.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file, write_file
from gprov.apps.host.lab.manufdata import Artifact, StepArtifacts, manuf_data
from gprov.apps.host.lab.namespace import inside
from gprov.apps.host.lab.owner import sign_file, sign_image
from gprov.apps.host.lab.products import file_digest
from gprov.apps.host.lab.stepfiles import PROGRAM, SCRIPT, STASH, step_files
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.server.tls.certificate_files import create_own_ca, own_paths
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.errors import DeviceMissing, ToolFailed
from gprov.domain.image.name import SUFFIX
from gprov.domain.unit.trust import OwnCa, argument_for, parse_ca
from gprov.ports.process import Processes, Running

# Address of the host in QEMU's user-mode network.
HOST_ADDRESS = "10.0.2.2"
MANUF_DATA = "manufData.json"
_READY = re.compile(rb"gprov server: listening on https?://[^\s:]+:(?P<port>\d+)")
_BOOT = re.compile(rb"gprov server: iPXE at https?://[^\s:]+:(?P<port>\d+)")
_SETTINGS = "server.toml"
_GPROV = (sys.executable, "-m", "gprov.apps.host.cli.main")
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_PORT_FILE = "port"
_PORTS = range(10000, 30000)
_ATTEMPTS = 20


def key_file(folder: str) -> str:
    """Where the key of such a server's store is. ``folder``: its data."""
    return f"{folder}.key"


def copy_data(folder: str, target: str) -> None:
    """Copy the data of a server that is stopped, with the key of its store. ``folder``, ``target``: data folders."""
    with os_errors_translated(folder):
        shutil.copytree(folder, target)
        if os.path.exists(key_file(folder)):  # a server that was killed at its first start has made none
            shutil.copy2(key_file(folder), key_file(target))


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryServerProcess:
    """A running server. ``folder``: its data, with the credentials of units; ``host``: its address from the units.
    ``ca``: of a server with https, else None. ``boot_port``: of a port for iPXE, None for the server's own."""

    folder: str
    port: int
    host: str = HOST_ADDRESS
    ca: OwnCa | None = None
    boot_port: int | None = None

    @property
    def guest_url(self) -> str:
        """URL of the server from the units."""
        return f"{'http' if self.ca is None else 'https'}://{self.host}:{self.port}"

    @property
    def boot_url(self) -> str:
        """URL from which iPXE gets its script."""
        return self.guest_url if self.boot_port is None else f"http://{self.host}:{self.boot_port}"

    def token(self, processes: Processes, serial: str) -> tuple[str, ...]:
        """The kernel argument with which a unit may be provisioned, of a server that asks for one."""
        if self.ca is None:
            return ()
        where = ("--data", self.folder, "--key-file", key_file(self.folder))
        done = processes.run((*_GPROV, "server", "token", *where, serial), env=_modules(), timeout=_START_SECONDS)
        return (done.output.decode().strip(),)

    @property
    def arguments(self) -> tuple[str, ...]:
        """Kernel arguments with which a unit finds and verifies it."""
        trust = () if self.ca is None else (argument_for(self.ca),)
        return (f"mfgurl={self.manuf_url}", *trust)

    @property
    def manuf_url(self) -> str:
        return f"{self.guest_url}/files/{MANUF_DATA}"

    def publish(self, files: Mapping[str, str], spec: VirtualUnitSpec) -> None:
        """Publish files (path on this host by published name) and a manufData.json that names them and specifies this
        unit. Units with UEFI have steps and a stash archive too; those with BIOS show provisioning without any. Images
        and manufData.json are signed for units whose kernels have keys."""
        folder = os.path.join(self.folder, "files")
        published = []
        for name, source in files.items():
            target = os.path.join(folder, name)
            with os_errors_translated(source):
                shutil.copyfile(source, target)
            if name != Branding().provision_kernel:  # for the firmware, not for RECOVERY
                published.append(target)
        if spec.signed:
            images = [path for path in published if path.endswith(SUFFIX)]
            published += [path for image in images for path in sign_image(image, folder).values()]
        artifacts = [Artifact(f"{self.guest_url}/files/{os.path.basename(p)}", file_digest(p)) for p in published]
        data = manuf_data(artifacts, self.guest_url, spec, self._publish_steps(spec))
        document = os.path.join(folder, MANUF_DATA)
        write_file(document, json.dumps(data, indent=2).encode())
        if spec.signed:
            sign_file(document)

    def _publish_steps(self, spec: VirtualUnitSpec) -> StepArtifacts | None:
        if spec.firmware is not FirmwareKind.UEFI:
            return None
        published = {}
        for name, content in step_files().items():
            write_file(os.path.join(self.folder, "files", name), content)
            published[name] = Artifact(f"{self.guest_url}/files/{name}", hashlib.sha256(content).hexdigest())
        return StepArtifacts(published[SCRIPT], published[PROGRAM], published[STASH])


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLocation:
    """``namespace``: network namespace of the server, "" for that of the host; ``listen``: its address there; ``host``:
    its address from the units; ``boot_arguments``: kernel arguments for network boot. ``tls``: with https, and a
    port for iPXE."""

    namespace: str = ""
    listen: str = "127.0.0.1"
    host: str = HOST_ADDRESS
    boot_arguments: str = ""
    tls: bool = False


@contextmanager
def factory_server(
    processes: Processes, folder: str, log: str, location: ServerLocation | None = None
) -> Iterator[FactoryServerProcess]:
    """Run a server while the context lasts, on the port that was used with this folder before, or on a free one.

    Raises ToolFailed if it does not start.
    """
    location = location or ServerLocation()
    with os_errors_translated(folder):
        os.makedirs(os.path.join(folder, "files"), exist_ok=True)
        os.chmod(folder, 0o700)
    ca = _encrypt(folder, location) if location.tls else None
    with ExitStack() as stack:
        ports = _ports(folder)
        started = (_started(stack, processes, _argv(folder, location, port), log) for port in ports)
        found = next((each for each in started if each is not None), None)
        if found is None:
            raise ToolFailed("gprov server", f"did not start on port {ports[0]}", output=_text(log))
        running, port = found
        write_file(os.path.join(folder, _PORT_FILE), b"%d\n" % port)
        boot = _BOOT.search(read_file(log))
        yield FactoryServerProcess(
            folder=folder, port=port, host=location.host, ca=ca, boot_port=int(boot["port"]) if boot else None
        )
        os.kill(running.pid, signal.SIGTERM)
        running.wait(_STOP_SECONDS)


def _encrypt(folder: str, location: ServerLocation) -> OwnCa:
    """Give the server https, with a CA that is made at the first call, and have it ask units for tokens."""
    settings = '[access]\nmode = "accounts"\n\n[tls]\nmode = "own-ca"\nboot = "http"\nboot_port = 0\n'
    write_file(os.path.join(folder, _SETTINGS), settings.encode())
    paths = own_paths(folder)
    if not os.path.exists(paths.ca):
        create_own_ca(folder, (location.host, location.listen), time.time_ns())
    return parse_ca(paths.ca, read_file(paths.ca))


def _argv(folder: str, location: ServerLocation, port: int) -> tuple[str, ...]:
    return (
        *(*inside(location.namespace), *_GPROV, "server", "--data", folder),
        *("--host", location.listen, "--port", str(port), "--boot-arguments", location.boot_arguments),
        *("--key-file", key_file(folder)),
        *(() if location.tls else ("--isolated",)),
    )


def _ports(folder: str) -> list[int]:
    """The port that is to be used, or those to try. The first depends on the folder, so that servers that start at the
    same time seldom try the same one."""
    try:
        return [int(read_file(os.path.join(folder, _PORT_FILE)))]
    except DeviceMissing:
        digest = hashlib.sha256(os.path.abspath(folder).encode()).digest()
        first = int.from_bytes(digest[:4]) % (len(_PORTS) - _ATTEMPTS)
        return list(_PORTS[first : first + _ATTEMPTS])


def _started(stack: ExitStack, processes: Processes, argv: tuple[str, ...], log: str) -> tuple[Running, int] | None:
    """None if another process has the port. Raises ToolFailed if it does not start for another reason."""
    with os_errors_translated(log), suppress(FileNotFoundError):
        os.unlink(log)
    running = stack.enter_context(processes.start(argv, log=log, env=_modules()))
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and running.poll() is None:
        ready = _READY.search(read_file(log))
        if ready:
            return running, int(ready["port"])
        time.sleep(0.05)
    output = _text(log)
    if os.strerror(errno.EADDRINUSE) in output:
        return None
    raise ToolFailed("gprov server", "did not start", output=output)


def _modules() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def _text(log: str) -> str:
    return read_file(log).decode(errors="replace")
