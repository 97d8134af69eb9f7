"""Archives of steps and stash files: unpacked in the memory of the unit, if they fit."""

from __future__ import annotations

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.xz_list import listed_size
from gprov.domain.mfg.files import RemoteFile
from gprov.ports.files import Files
from gprov.ports.process import Processes


def unpack_archive(file: RemoteFile, path: str, folder: str, files: Files, processes: Processes) -> None:
    """Unpack the archive at ``path``, which was fetched from ``file``. Raises BadInput before anything is decoded if it
    states that it unpacks to more than the memory that is left, or is no xz file; ToolFailed."""
    size = listed_size(processes.run(list_argv(path), check=False).output)
    if size is None:
        raise BadInput(file.describe(), [Problem("", "is no xz file whose index can be read")])
    free = files.usage(folder).free
    if size > free:
        reason = f"states that it unpacks to {size} bytes; there are {free} in {folder}"
        raise BadInput(file.describe(), [Problem("", reason)])
    processes.run(unpack_step_argv(path, folder))


def list_argv(archive: str) -> list[str]:
    """xz command that reads the index, and decodes nothing."""
    return ["xz", "--robot", "--list", archive]


def unpack_step_argv(archive: str, folder: str) -> list[str]:
    """GNU tar command for the archive of a step or a stash file. The archive is trusted if its hash is given; tar still
    refuses members outside the folder. Owners and set-uid bits are not restored; /run is mounted ``nodev``."""
    return ["tar", "-x", "-f", archive, "-C", folder, "--no-same-owner", "--no-same-permissions"]
