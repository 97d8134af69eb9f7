"""Builds iPXE for one factory: it has no protocol but https, trusts only the factory's CA, and starts from the script
of the factory's server whatever DHCP says.

Debian's iPXE is built without TLS. Its source package is fetched by apt, or a source tree is given. Settings of iPXE:
https://ipxe.org/buildcfg, https://ipxe.org/crypto.
"""

from __future__ import annotations

import os

from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.hostfiles import copy_file, fresh_folder, read_file, write_file
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.toolchain import compiler_versions
from gprov.domain.errors import DeviceMissing, ToolFailed, ToolMissing
from gprov.domain.factory.dnsmasq import BIOS_LOADER, UEFI_LOADER
from gprov.domain.factory.netboot import embedded_script
from gprov.domain.unit.trust import OwnCa
from gprov.ports.process import Processes

# Increment if other files are built from the same inputs.
_BUILD_VERSION = "1"
_TARGETS = {f"bin/{BIOS_LOADER}": BIOS_LOADER, f"bin-x86_64-efi/{UEFI_LOADER}": UEFI_LOADER}
_GENERAL = """\
#define DOWNLOAD_PROTO_HTTPS
#undef DOWNLOAD_PROTO_HTTP
#undef DOWNLOAD_PROTO_TFTP
#undef DOWNLOAD_PROTO_FTP
#undef DOWNLOAD_PROTO_SLAM
#undef DOWNLOAD_PROTO_NFS
#undef SANBOOT_PROTO_ISCSI
#undef SANBOOT_PROTO_AOE
#undef SANBOOT_PROTO_IB_SRP
#undef SANBOOT_PROTO_FCP
#undef SANBOOT_PROTO_HTTP
"""
# Machines may start years late: dates of certificates do not count (docs/how-to/tls.md).
_CRYPTO = "#define TIMESTAMP_ERROR_MARGIN ( 100LL * 365 * 86400 )\n"
_SECONDS = 1800.0
_PROGRAMS = {"make": "make", "gcc": "gcc", "perl": "perl", "cp": "coreutils"}


class IpxeBuilder:
    def __init__(self, processes: Processes, cache: Cache, progress: BuildProgress, jobs: int) -> None:
        self._processes = processes
        self._cache = cache
        self._progress = progress
        self._jobs = jobs

    def build(self, ca: OwnCa, server: str, source: str | None) -> str:
        """The folder in the cache with both programs. ``server``: https URL of the server's port for iPXE; ``source``:
        iPXE's source tree, None for Debian's source package. Raises ToolMissing, ToolFailed, DeviceMissing."""
        missing = [name for name in _PROGRAMS if self._processes.which(name) is None]
        if missing:
            raise ToolMissing(missing[0], f"apt-get install {_PROGRAMS[missing[0]]}")
        with self._cache.lock("ipxe", lambda: self._progress.note("iPXE: waiting for another build to finish")):
            tree = self._source() if source is None else os.path.abspath(source)
            makefile = os.path.join(tree, "src", "Makefile")
            if not os.path.isfile(makefile):
                raise DeviceMissing(makefile, "no such file: this is not the source of iPXE")
            script = embedded_script(server)
            texts = (_BUILD_VERSION, tree, _GENERAL, _CRYPTO, script, *compiler_versions(self._processes))
            key = content_key(ca.der, *texts)
            return self._cache.find("ipxe", key) or self._built(tree, ca, script, key)

    def _built(self, tree: str, ca: OwnCa, script: str, key: str) -> str:
        work = self._cache.path("work", "ipxe")
        self._cache.remove(work)
        with self._progress.phase("iPXE: compile"):
            self._processes.run(("cp", "-a", "--reflink=auto", os.path.join(tree, "src"), work), timeout=_SECONDS)
            for name, content in (("general", _GENERAL), ("crypto", _CRYPTO)):
                os.makedirs(os.path.join(work, "config", "local"), exist_ok=True)
                write_file(os.path.join(work, "config", "local", f"{name}.h"), content.encode())
            write_file(os.path.join(work, "ca.pem"), ca.pem.encode())
            write_file(os.path.join(work, "embedded.ipxe"), script.encode())
            self._make(work, key)

        def publish(path: str) -> None:
            fresh_folder(path)
            for target, name in _TARGETS.items():
                copy_file(os.path.join(work, target), os.path.join(path, name))

        made = self._cache.publish("ipxe", key, publish)
        self._cache.remove(work)
        return made

    def _make(self, work: str, key: str) -> None:
        # Compilers are newer than this source and warn of more.
        settings = ("NO_WERROR=1", "TRUST=ca.pem", "EMBED=embedded.ipxe")
        log = self._cache.path("log", f"ipxe-{key}.log")
        command = ("make", "-C", work, f"-j{self._jobs}", *settings, *_TARGETS)
        with self._processes.start(command, log=log) as child:
            status = child.wait(_SECONDS).status
        if status:
            how = f"exit status {status}; full log: {log}; apt-get build-dep ipxe installs what it needs"
            raise ToolFailed("make", how, output=read_file(log).decode(errors="replace"))

    def _source(self) -> str:
        """The unpacked source package."""
        found = self._cache.newest("ipxe-source", "ipxe")
        if found is not None:
            return self._only_folder(found)

        def fetch(path: str) -> None:
            fresh_folder(path)
            try:
                self._processes.run(("apt-get", "source", "ipxe"), cwd=path, timeout=_SECONDS)
            except ToolFailed as exc:
                how = "needs a deb-src entry in the sources of apt; or give a source tree of iPXE with --source"
                raise ToolFailed("apt-get source ipxe", how, output=str(exc)) from exc

        with self._progress.phase("iPXE: fetch the source package"):
            return self._only_folder(self._cache.publish("ipxe-source", "ipxe", fetch))

    def _only_folder(self, parent: str) -> str:
        folders = [entry.path for entry in os.scandir(parent) if entry.is_dir()]
        if len(folders) != 1:
            raise DeviceMissing(parent, "has no single source tree; remove it and build again")
        return folders[0]
