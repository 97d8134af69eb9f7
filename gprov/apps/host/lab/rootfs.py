"""Builds a Debian root file system as a folder with mmdebstrap, and caches it by its inputs.

Needs root: the tree holds files of several owners. The same recipe with the same packages gives the same tree: it
contains no host names or times of the build.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gprov.apps.host.image.tool_sets import ALL_TOOLS
from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.lab.aptsources import sources_of
from gprov.domain.errors import BadInput, DeviceFault, Problem, ToolMissing
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish
from gprov.ports.process import Processes

_SOURCES = "/etc/apt"
EPOCH = 1_700_000_000  # a fixed time; files of packages keep their older times
_SECONDS = 1800.0
_KIND = "roots"
_KEPT = 3
_TREE = "tree"  # inside the entry: the cache changes the date of the entry itself
# Files that mmdebstrap copies from the build host, that differ between builds, or that a restore writes.
_REMOVED = (
    "etc/apt/sources.list",
    "etc/apt/sources.list.d",
    "etc/hostname",
    "etc/resolv.conf",
    "var/cache/ldconfig/aux-cache",
    "var/log/alternatives.log",
    "var/log/apt",
    "var/log/bootstrap.log",
    "var/log/dpkg.log",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRecipe:
    """Content of buildroot/rootfs/rootfs.toml. ``files``: folder that is copied over the tree."""

    suite: str
    variant: str
    packages: tuple[str, ...]
    exclude: tuple[str, ...]
    account: str
    account_id: int
    enable: tuple[str, ...]
    disable: tuple[str, ...]
    files: str


def read_recipe(path: str, suite: str = "") -> RootRecipe:
    """``suite``: "" for the recipe's own, or one of its ``suites``. Raises DeviceMissing, BadInput."""
    try:
        value = tomllib.loads(read_file(path).decode())
    except ValueError as exc:
        raise BadInput(path, [Problem("", str(exc))]) from exc
    root = JsonObject(value, "$", [])
    own = root.text("suite", required=True)
    added = _additions(root, suite) if suite not in ("", own) else None
    recipe = RootRecipe(
        suite=suite or own,
        variant=root.text("variant", required=True),
        packages=(*root.texts("packages", required=True), *(added.texts("packages") if added else ())),
        exclude=root.texts("exclude"),
        account=root.text("account", required=True),
        account_id=root.integer("account_id", required=True, minimum=1000),
        enable=(*root.texts("enable"), *(added.texts("enable") if added else ())),
        disable=root.texts("disable"),
        files=os.path.join(os.path.dirname(path), "files"),
    )
    return finish(path, root, recipe)


def _additions(root: JsonObject, suite: str) -> JsonObject | None:
    """Return what another suite adds to the recipe."""
    suites = root.object("suites")
    found = suites.object(suite) if suites is not None else None
    if found is None:
        known = ", ".join(suites.keys()) if suites is not None else "none"
        root.problem("suites", f"has no suite {suite!r}; known: {known}")
    return found


class RootBuilder:
    """``environment``: its proxy settings are passed to the package manager."""

    def __init__(
        self, processes: Processes, cache: Cache, progress: BuildProgress, environment: Mapping[str, str]
    ) -> None:
        self._processes = processes
        self._cache = cache
        self._progress = progress
        self._environment = environment

    def build(self, recipe: RootRecipe) -> str:
        """Build the tree; return its path in the cache, where it must not be changed."""
        sources = sources_of(_apt_files(), recipe.suite, _host_suite())
        if not sources:
            raise DeviceFault(_SOURCES, f"no package source of the suite {recipe.suite} or of the host's own; add one")
        key = root_key(recipe, sources)
        with self._cache.lock(
            "debian-root", lambda: self._progress.note("Debian root: waiting for another build to finish")
        ):
            found = self._cache.find(_KIND, key)
            if found is None:
                self._require()
                with self._progress.phase("Debian root: build"):
                    found = self._cache.publish(_KIND, key, lambda path: self._make(recipe, sources, path))
                self._cache.keep_newest(_KIND, _KEPT)
            return os.path.join(found, _TREE)

    def _require(self) -> None:
        if self._processes.which("mmdebstrap") is None:
            raise ToolMissing("mmdebstrap", "apt-get install mmdebstrap")
        if os.geteuid() != 0:
            raise DeviceFault("Debian root", "cannot be built without root (files of several owners); run as root")

    def _make(self, recipe: RootRecipe, sources: tuple[str, ...], entry: str) -> None:
        path = os.path.join(entry, _TREE)
        with os_errors_translated(path):
            os.makedirs(path)
        self._processes.run(_mmdebstrap(recipe, sources, path), env=self._build_environment(), timeout=_SECONDS)
        _copy_overlay(recipe.files, path)
        ALL_TOOLS.install(path)
        inside = ("chroot", path)
        fixed = {"SOURCE_DATE_EPOCH": str(EPOCH)}
        account = ("useradd", "--create-home", "--shell", "/bin/bash", "--uid", str(recipe.account_id), recipe.account)
        self._processes.run((*inside, *account), env=fixed)
        for verb, names in (("enable", recipe.enable), ("disable", recipe.disable)):
            if names:
                self._processes.run((*inside, "systemctl", verb, *names), env=fixed)
        with os_errors_translated(path):
            _strip(path)

    def _build_environment(self) -> dict[str, str]:
        proxies = {name: value for name, value in self._environment.items() if name.lower().endswith("_proxy")}
        return {"SOURCE_DATE_EPOCH": str(EPOCH), **proxies}


def root_key(recipe: RootRecipe, sources: tuple[str, ...]) -> str:
    """Return the cache key of a tree: of all its inputs, but not of the place of the checkout that holds them."""
    overlay = (*_overlay_facts(recipe.files), *ALL_TOOLS.files().values(), repr(ALL_TOOLS.links()))
    return content_key(repr(replace(recipe, files="")), repr(sources), *overlay, read_file(__file__))


def entry_of(tree: str) -> str:
    """Return the cache key of a tree that ``RootBuilder`` built."""
    return os.path.basename(os.path.dirname(tree))


def _mmdebstrap(recipe: RootRecipe, sources: tuple[str, ...], target: str) -> tuple[str, ...]:
    return (
        *("mmdebstrap", "--mode=root", "--format=directory", f"--variant={recipe.variant}"),
        f"--include={','.join(recipe.packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.exclude),
        '--aptopt=Acquire::Languages "none"',
        *(recipe.suite, target, *sources),
    )


def _apt_files() -> dict[str, str]:
    """Return the content of the host's source lists by path."""
    paths = [os.path.join(_SOURCES, "sources.list")]
    folder = f"{paths[0]}.d"
    if os.path.isdir(folder):
        paths += [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    wanted = (path for path in paths if path.endswith((".list", ".sources")) and os.path.exists(path))
    return {path: read_file(path).decode(errors="replace") for path in wanted}


def _host_suite() -> str:
    """Return the code name of the host's release (os-release(5)), "" if it has none."""
    with os_errors_translated("os-release"):
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def _overlay_facts(folder: str) -> Iterator[str | bytes]:
    with os_errors_translated(folder):
        for path in _walk(folder):
            if not os.path.isdir(path):
                yield os.path.relpath(path, folder)
                yield "x" if os.access(path, os.X_OK) else ""
                yield read_file(path)


def _copy_overlay(source: str, root: str) -> None:
    """Copy files; existing folders keep mode and owner."""
    with os_errors_translated(source):
        for path in _walk(source):
            target = os.path.join(root, os.path.relpath(path, source))
            if not os.path.isdir(path):
                os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
                shutil.copyfile(path, target)
                os.chmod(target, 0o755 if os.access(path, os.X_OK) else 0o644)


def _strip(root: str) -> None:
    """Remove traces of the build, and set the date of new files and folders to EPOCH."""
    for name in _REMOVED:
        path = os.path.join(root, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
    for path in (*_walk(root), root):
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode) or status.st_mtime > EPOCH:
            os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def _walk(folder: str) -> Iterator[str]:
    """Yield all paths below a folder, sorted, content before its folder."""
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in sorted((*files, *folders)):
            yield os.path.join(parent, name)
