"""``gprov server init``: makes a data folder from nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from gprov.adapters.linux.files.durable import sync_folder
from gprov.apps.server.container import server_container
from gprov.apps.server.tls.certificate_files import DEFAULT_CA_KEY, create_own_ca
from gprov.domain.errors import DeviceFault, DeviceMissing, RefusedByPolicy
from gprov.domain.factory.dnsmasq import BIOS_LOADER, UEFI_LOADER
from gprov.domain.factory.setup.new_folder import FILES, TFTP, NewFile, new_files, new_folders
from gprov.domain.factory.setup.plan import FactoryPlan, PublishedFile
from gprov.ports.secretbox import KeyProvider

# Of ``create_own_ca``, in tls/.
CERTIFICATE_FILES = ("ca.pem", "server.pem", "server.key", "boot.pem", "boot.key")
_STORE = "store/factory.sqlite"
LOADERS = (BIOS_LOADER, UEFI_LOADER)


@dataclass(frozen=True, slots=True)
class InitSources:
    """``files``: paths of files to publish. ``loaders``: folder with iPXE's programs. ``ca_key``: where the key of an
    https server's CA goes, None for its usual place."""

    files: Sequence[str]
    loaders: str
    ca_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFolder:
    """``folders``: mode by path; ``copies``: target by source; paths relative to the data folder. ``ca_key``: where the
    key of the CA goes, None for its usual place in the folder."""

    plan: FactoryPlan
    folders: Mapping[str, int]
    files: tuple[NewFile, ...]
    copies: Mapping[str, str]
    ca_key: str | None = None

    def paths(self) -> list[str]:
        """Relative to the data folder, but for a key of the CA that is elsewhere."""
        made = [*(f"{path}/" for path in self.folders), *(file.path for file in self.files), *self.copies.values()]
        return sorted([*made, *self._certificates(), _STORE])

    def _certificates(self) -> list[str]:
        if not self.plan.encrypted:
            return []
        key = [os.path.dirname(DEFAULT_CA_KEY) + "/", DEFAULT_CA_KEY] if self.ca_key is None else [self.ca_key]
        return ["tls/", *(f"tls/{name}" for name in CERTIFICATE_FILES), *key]


def planned_folder(plan: FactoryPlan, sources: InitSources) -> PlannedFolder:
    """Nothing is written. Raises RefusedByPolicy for a folder that is not empty, BadInput, DeviceMissing,
    DeviceFault."""
    refuse_used(plan.folder)
    loaders = [os.path.join(sources.loaders, name) for name in LOADERS]
    missing = [path for path in loaders if not os.path.isfile(path)]
    if missing:
        raise DeviceMissing(missing[0], "no program of iPXE: install the package ipxe, or name its folder with --ipxe")
    copies = {path: f"{TFTP}/{os.path.basename(path)}" for path in loaders}
    copies |= {path: f"{FILES}/{os.path.basename(path)}" for path in sources.files}
    published = tuple(_published(path) for path in sources.files)
    complete = dataclasses.replace(plan, published=published)
    return PlannedFolder(
        plan=complete, folders=new_folders(), files=new_files(complete), copies=copies, ca_key=sources.ca_key
    )


def refuse_used(folder: str) -> None:
    """Raises RefusedByPolicy if there is anything at this path but an empty folder, DeviceFault."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise DeviceFault(folder, f"cannot be used: {exc.strerror}", errno=exc.errno) from exc
    if names:
        found = f"is not empty (it has {min(names)})"
        raise RefusedByPolicy(f"{folder}: {found}: nothing was changed; name one that is empty or does not exist")


def make_folder(planned: PlannedFolder, now_ns: int) -> None:
    """An existing file is never overwritten. ``now_ns``: UTC. Raises DeviceFault, RefusedByPolicy (a key of a CA that
    exists); what was made until then stays."""
    folder = planned.plan.folder
    with _translated():
        os.makedirs(folder, mode=0o755, exist_ok=True)
    refuse_used(folder)
    with _translated():
        for path, mode in planned.folders.items():
            os.mkdir(os.path.join(folder, path))
            os.chmod(os.path.join(folder, path), mode)
    if planned.plan.encrypted:
        create_own_ca(folder, (planned.plan.host,), now_ns, planned.ca_key)
    with _translated():
        for source, target in planned.copies.items():
            copy_new(source, os.path.join(folder, target))
        for file in planned.files:
            write_new(os.path.join(folder, file.path), file.content, file.mode)
        for path in ("", *planned.folders):
            sync_folder(os.path.join(folder, path))


def make_store(folder: str, keys: KeyProvider) -> None:
    """An empty store, so that accounts can be made before the first start. Raises DeviceFault, BadInput."""
    container = server_container(folder, keys)
    with closing(container.database()):
        container.trail()


def copy_new(source: str, target: str, mode: int = 0o644, *, replace: bool = False) -> None:
    """Copy a file, durably, to a path where there is none, or where one may be replaced. Raises OSError."""
    with open(source, "rb") as reading, _created(target, mode, replace) as fd, open(fd, "wb", closefd=False) as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)
        writing.flush()
        os.fsync(fd)


def write_new(path: str, content: bytes, mode: int, *, replace: bool = False) -> None:
    """Raises OSError, also for a path where there is a file, unless that may be replaced."""
    with _created(path, mode, replace) as fd, open(fd, "wb", closefd=False) as file:
        file.write(content)
        file.flush()
        os.fsync(fd)


@contextmanager
def _created(path: str, mode: int, replace: bool) -> Iterator[int]:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if replace else os.O_EXCL), mode)
    try:
        os.fchmod(fd, mode)
        yield fd
    finally:
        os.close(fd)


def _published(path: str) -> PublishedFile:
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return PublishedFile(os.path.basename(path), os.fstat(file.fileno()).st_size, digest)
    except FileNotFoundError as exc:
        raise DeviceMissing(path, "no such file", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise DeviceFault(str(exc.filename), f"cannot be made: {exc.strerror}", errno=exc.errno) from exc
