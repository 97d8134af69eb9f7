"""``gprov server import-gprovision``: takes over a factory folder of gprovision. The folder is only read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum

from gprov.apps.server.setup.init import copy_new, write_new
from gprov.apps.server.setup.reading import read_small
from gprov.apps.server.setup.tree import Tree, read_tree
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, Problem
from gprov.domain.factory.documents import file_name
from gprov.domain.factory.netboot import MANUF_DATA
from gprov.domain.factory.setup import gprovision
from gprov.domain.factory.setup.gprovision import JsonKind, TakenFile
from gprov.domain.factory.setup.new_folder import APPLIANCE, FILES
from gprov.domain.formats.json.unfilled import MARK
from gprov.domain.mfg.files import looks_like_image
from gprov.domain.mfg.urls import redacted

_DOCUMENTS = "documents"
_PRIVATE, _PUBLIC = 0o600, 0o644
_UNNAMED = "manufData.json does not name it: copy it by hand if units need it"
_OTHER = "there is another file already"
_KEPT = f"{_OTHER}: to have it made anew, remove it and run this again"
_KERNEL = "a kernel of gprovision does not speak with this server: put the one of `gprov build kernel` in its place"
_DATABASE = (
    "database of gprovision's log server: its records and passwords stay there; keep it as an archive. Each unit gets"
    " new passwords from gprov's server at its next provisioning"
)


class Verdict(Enum):
    """The values are shown."""

    TAKEN = "taken"
    PRESENT = "present"  # an earlier run took it
    LEFT = "not taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``source``: relative to the old folder, or a URL; ``target``: relative to the data folder; ``reason``: why it was
    not taken, or what else there is to say. ``needed``: something is missing if it was not taken."""

    verdict: Verdict
    source: str
    target: str = ""
    reason: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """``source``: the old folder; ``data``: the data folder; ``server``: URL of gprov's server without a slash at its
    end; ``manuf``: path of manufData.json relative to ``source``, "" for the only one."""

    source: str
    data: str
    server: str
    manuf: str = ""
    branding: Branding

    def run(self) -> Iterator[Row]:
        """Copies what is missing, and yields what was done with each file. Raises BadInput, DeviceFault."""
        tree = read_tree(self.source)
        kinds = {path: gprovision.json_kind(read_small(self._old(path))) for path in tree.small_json}
        manuf = self._manuf_path([path for path, kind in kinds.items() if kind is JsonKind.MANUF])
        document = read_small(self._old(manuf))
        taken: dict[str, TakenFile] = {}
        used = {manuf}
        for url in gprovision.named_urls(document):
            row, path, found = self._named_file(url, tree)
            used |= {path} if path else set()
            if found is not None:
                taken[url] = found
            yield row
        yield self._put(manuf, f"{FILES}/{MANUF_DATA}", gprovision.rewritten(document, taken, self.server))
        endpoint = gprovision.kept_credential_endpoint(document)
        if endpoint:
            reason = f"CredentialEndpoint stays {redacted(endpoint)}: remove it if gprov's server has the passwords"
            yield Row(verdict=Verdict.TAKEN, source=manuf, target=f"{FILES}/{MANUF_DATA}", reason=reason)
        tables = [path for path, kind in kinds.items() if kind is JsonKind.PLATFORMS]
        yield from self._rest(tree, tables, used)

    def _rest(self, tree: Tree, tables: list[str], used: set[str]) -> Iterator[Row]:
        """What manufData.json does not name."""
        for path in sorted(tree.files):
            name = os.path.basename(path)
            serial = gprovision.document_serial(name)
            if path in tables and len(tables) == 1:
                yield self._put(path, APPLIANCE, read_small(self._old(path)))
            elif path in tables:
                yield Row(
                    verdict=Verdict.LEFT,
                    source=path,
                    target="",
                    reason=f"there are {len(tables)} platform tables: copy yours to {APPLIANCE}",
                )
            elif serial is not None:
                yield self._copy(path, f"{_DOCUMENTS}/{file_name(serial, name)}", _PRIVATE)
            elif path not in used and (name == self.branding.provision_kernel or looks_like_image(name, self.branding)):
                yield self._copy(path, f"{FILES}/{name}", _PUBLIC)
            elif path not in used:
                yield Row(verdict=Verdict.LEFT, source=path, target="", reason=_UNNAMED)
        yield from (
            Row(verdict=Verdict.LEFT, source=path, target="", reason=reason) for path, reason in tree.skipped.items()
        )
        yield from (
            Row(verdict=Verdict.LEFT, source=f"{path}/", target="", reason=_DATABASE) for path in tree.databases
        )

    def _manuf_path(self, found: list[str]) -> str:
        if self.manuf:
            return self.manuf
        usual = [path for path in found if os.path.basename(path) == MANUF_DATA]
        choice = usual if len(usual) == 1 else found
        if len(choice) != 1:
            shown = f"has several ({', '.join(sorted(found))}): name one with --manuf" if found else "has none"
            raise BadInput(self.source, [Problem(MANUF_DATA, shown)])
        return choice[0]

    def _named_file(self, url: str, tree: Tree) -> tuple[Row, str | None, TakenFile | None]:
        path = gprovision.source_of(url, tree.files)
        if path is None:
            reason = "no file of the folder, or several, have the path of this URL; the entry stays as it is"
            return Row(verdict=Verdict.LEFT, source=redacted(url), target="", reason=reason, needed=True), None, None
        name = gprovision.published_name(url)
        row = self._copy(path, f"{FILES}/{name}", _PUBLIC, needed=True)
        if row.verdict is Verdict.LEFT:
            return row, path, None
        target = os.path.join(self.data, FILES, name)
        return row, path, TakenFile(name, os.stat(target).st_size, _sha256(target))

    def _copy(self, path: str, target: str, mode: int, *, needed: bool = False) -> Row:
        new = os.path.join(self.data, target)
        try:
            if os.path.lexists(new):
                same = os.path.isfile(new) and _sha256(new) == _sha256(self._old(path))
                reason = self._kernel(target) if same else _OTHER
                return Row(
                    verdict=Verdict.PRESENT if same else Verdict.LEFT,
                    source=path,
                    target=target,
                    reason=reason,
                    needed=needed,
                )
            private = os.path.dirname(target) == _DOCUMENTS
            os.makedirs(os.path.dirname(new), mode=0o700 if private else 0o755, exist_ok=True)
            with _arriving(new) as temporary:
                copy_new(self._old(path), temporary, mode, replace=True)
        except OSError as exc:
            raise DeviceFault(str(exc.filename or new), f"cannot be copied: {exc.strerror}", errno=exc.errno) from exc
        return Row(verdict=Verdict.TAKEN, source=path, target=target, reason=self._kernel(target), needed=needed)

    def _kernel(self, target: str) -> str:
        kernels = (self.branding.boot_kernel, self.branding.provision_kernel)
        return _KERNEL if os.path.basename(target) in kernels else ""

    def _put(self, path: str, target: str, content: bytes) -> Row:
        """Write a document, in place of a template that was not filled in, but of nothing else."""
        new = os.path.join(self.data, target)
        try:
            if os.path.lexists(new):
                present = read_small(new)
                if present == content:
                    return Row(verdict=Verdict.PRESENT, source=path, target=target)
                if MARK.encode() not in present:
                    return Row(
                        verdict=Verdict.LEFT,
                        source=path,
                        target=target,
                        reason=_KEPT,
                        needed=True,
                    )
            os.makedirs(os.path.dirname(new), exist_ok=True)
            with _arriving(new) as temporary:
                write_new(temporary, content, _PUBLIC, replace=True)
        except OSError as exc:
            raise DeviceFault(str(exc.filename or new), f"cannot be written: {exc.strerror}", errno=exc.errno) from exc
        return Row(verdict=Verdict.TAKEN, source=path, target=target)

    def _old(self, path: str) -> str:
        return os.path.join(self.source, path)


@contextmanager
def _arriving(path: str) -> Iterator[str]:
    """Path of a file that takes the place of ``path`` when it is complete, and is removed if that fails."""
    temporary = f"{path}.importing"
    try:
        yield temporary
        os.rename(temporary, path)
    except OSError:
        with suppress(OSError):  # the first error says more
            os.remove(temporary)
        raise


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
