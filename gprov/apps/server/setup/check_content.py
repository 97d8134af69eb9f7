"""Checks of the files that manufData.json names below ``files/``, and of the provisioning kernel."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gprov.apps.server.setup.reading import read_small
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, GprovError
from gprov.domain.factory.setup.finding import Finding, problem
from gprov.domain.factory.setup.new_folder import FILES
from gprov.domain.factory.setup.own_files import own_path
from gprov.domain.formats.bzimage import parse_whole
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.mfg.files import PlacementKind, RemoteFile, destination

_MOST_KERNEL = 512 << 20
_ENTRY = "`gprov manuf entry` prints the entry of a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentCheck:
    """``own``: host and port of each address of the server. ``quick``: sizes only; no hashes, no images."""

    folder: str
    own: frozenset[tuple[str, int]]
    branding: Branding
    quick: bool = False

    def findings(self, files: Iterable[RemoteFile]) -> Iterator[Finding]:
        for file in dict.fromkeys(files):
            name = own_path(file.url, self.own)
            if name is not None:
                yield from self._file(file, self.path_of(name))
        own_kernel = self.path_of(self.branding.provision_kernel)
        if os.path.exists(own_kernel):
            yield from self._kernel(own_kernel)
        else:
            reason = "is missing: machines that start over the network cannot be provisioned"
            yield problem(own_kernel, reason, "`gprov build kernel --flavor mfg --output provision.pxe` makes it")

    def path_of(self, name: str) -> str:
        return os.path.join(self.folder, FILES, name)

    def _file(self, file: RemoteFile, path: str) -> Iterator[Finding]:
        try:
            found = os.stat(path)
        except OSError as exc:
            yield problem(path, f"is named in manufData.json, and cannot be had: {exc.strerror}")
            return
        root = os.path.realpath(os.path.join(self.folder, FILES))
        if not stat.S_ISREG(found.st_mode):
            yield problem(path, "is named in manufData.json, and is not a file")
        elif os.path.commonpath([root, os.path.realpath(path)]) != root:
            yield problem(path, "leads out of files/: the server does not publish it", "put the file there")
        elif not found.st_mode & 0o444:
            yield problem(path, "cannot be read by the server", "chmod a+r")
        elif file.size is not None and found.st_size != file.size:
            yield problem(path, f"has {found.st_size} bytes, and its Size in manufData.json is {file.size}", _ENTRY)
        else:
            yield from self._content(file, path)

    def _content(self, file: RemoteFile, path: str) -> Iterator[Finding]:
        if self.quick:
            return
        try:
            wrong = [
                f"has {name} {digest}, and manufData.json has {stated}"
                for name, stated in (("sha256", file.sha256), ("sha1", file.sha1))
                if stated and (digest := _digest(path, name)) != stated
            ]
        except OSError as exc:
            wrong = [f"cannot be read: {exc.strerror}"]
        yield from (problem(path, each, _ENTRY) for each in wrong)
        if wrong:
            return
        match self._kind(file):
            case PlacementKind.KERNEL:
                yield from self._kernel(path)
            case PlacementKind.IMAGE:
                yield from _image(path)
            case PlacementKind.OTHER:
                pass

    def _kind(self, file: RemoteFile) -> PlacementKind:
        """OTHER also for files of steps, whose names may be no valid places on RECOVERY."""
        try:
            return destination(file, self.branding, True).kind
        except BadInput:
            return PlacementKind.OTHER

    def _kernel(self, path: str) -> Iterator[Finding]:
        try:
            parse_whole(read_small(path, _MOST_KERNEL))
        except BadInput as error:
            yield problem(path, f"is no kernel that can be started: {'; '.join(map(str, error.problems))}")
        except DeviceFault as fault:
            yield problem(fault.subject, fault.reason)


def _image(path: str) -> Iterator[Finding]:
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.system.process import SystemProcesses

    try:
        XzTarArchives(SystemProcesses(), memory_budget=0).verify(path, _ignored, MAX_ARCHIVE)
    except GprovError as error:
        yield problem(path, f"is no image that can be restored: {error}", "`gprov image verify` says more")


def _ignored(done: int, total: int) -> None:
    """Progress is not shown."""


def _digest(path: str, name: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, name).hexdigest()
