"""The kernel's source, and its configuration by Kconfig."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.hostfiles import fresh_folder, os_errors_translated, read_file, write_file
from gprov.apps.host.initramfs.kconfig import Setting, check_options_applied, parse_config, serialise_config
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.toolchain import SOURCE_ARCHIVE, SOURCE_PACKAGE, source_version
from gprov.ports.process import Processes

_SYMBOL = re.compile(rb"^\s*(?:menu)?config\s+(\w+)", re.MULTILINE)


def unpacked_source(processes: Processes, cache: Cache, progress: BuildProgress) -> str:
    """Return the folder of the unpacked source in the cache."""
    key = content_key(source_version(processes))

    def unpack(path: str) -> None:
        fresh_folder(path)
        processes.run(("tar", "-xf", SOURCE_ARCHIVE, "-C", path), timeout=900)

    with cache.lock("sources", lambda: progress.note("kernel: waiting for another build to unpack the source")):
        parent = cache.find("sources", key)
        if parent is None:
            with progress.phase("kernel: unpack the source"):
                parent = cache.publish("sources", key, unpack)
            cache.keep_newest("sources", 1)
    return os.path.join(parent, SOURCE_PACKAGE)


def configure(processes: Processes, source: str, work: str, settings: Mapping[str, Setting]) -> None:
    """Write ``.config`` into the folder ``work``: the settings, and off whatever they do not name or need. Raises
    BadInput with every setting that Kconfig did not apply."""
    chosen = os.path.join(work, "fragment.config")
    write_file(chosen, serialise_config(settings).encode())
    command = ("make", "-s", "-C", source, f"O={work}", f"KCONFIG_ALLCONFIG={chosen}", "allnoconfig")
    processes.run(command)
    result = read_file(os.path.join(work, ".config")).decode()
    check_options_applied(settings, parse_config(result, ".config"), known_symbols(source))


def known_symbols(source: str) -> frozenset[str]:
    """Return the symbols ("CONFIG_X") that Kconfig files of a kernel's source define, for any architecture. Source:
    Documentation/kbuild/kconfig-language.rst."""
    found: set[str] = set()
    with os_errors_translated(source):
        for folder, _, names in os.walk(source):
            for name in names:
                if name.startswith("Kconfig"):
                    content = read_file(os.path.join(folder, name))
                    found.update(f"CONFIG_{symbol.decode()}" for symbol in _SYMBOL.findall(content))
    return frozenset(found)
