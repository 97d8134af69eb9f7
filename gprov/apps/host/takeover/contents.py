"""Reads what is on a mounted RECOVERY, or in a copy of it, for ``domain.unit.takeover``."""

from __future__ import annotations

import os

from gprov.domain.boot.grub.grub4dos import FALLBACK_MENU, FIRST_MENU
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, IntegrityFault, ToolFailed
from gprov.domain.formats.bzimage import KERNEL_START, KernelFacts, parse_bzimage
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.select import Preference, rank
from gprov.domain.plan.kernels import image_kernel
from gprov.domain.plan.preconditions import image_problems
from gprov.domain.recovery_files import (
    HISTORY_FILE,
    IMAGE_FOLDER,
    INSECURE_STORAGE,
    OPTIONS_FILE,
    PLATFORM_IDENT,
    SAVED_NETWORK_FILE,
)
from gprov.domain.unit.takeover import RecoveryContents
from gprov.ports.archive import Archives, ProgressReport
from gprov.ports.files import Files
from gprov.ports.process import Processes

_MOST = 1 << 20


def read_contents(
    folder: str, files: Files, processes: Processes, archives: Archives, branding: Branding, progress: ProgressReport
) -> RecoveryContents:
    """Decodes the newest image from its first to its last byte. Raises DeviceMissing if the folder does not exist,
    DeviceFault."""
    root = files.status(folder)
    if root is None:
        raise DeviceMissing(folder, "does not exist")
    kind, label = _mounted(folder, processes)
    images = _names(files, f"{folder}/{IMAGE_FOLDER}")
    ranking = rank(images or (), branding.image_prefix, Preference.LATEST)
    newest = f"{folder}/{IMAGE_FOLDER}/{ranking.candidates[0].filename}" if ranking.candidates else ""
    log = branding.log_folder
    paths = (FIRST_MENU, FALLBACK_MENU, INSECURE_STORAGE, OPTIONS_FILE, PLATFORM_IDENT)
    logged = (f"{log}/{HISTORY_FILE}", f"{log}/{SAVED_NETWORK_FILE}")
    present = [path for path in (*paths, *logged) if files.status(f"{folder}/{path}") is not None]
    image, problem = _image_kernel(archives, newest, progress, branding) if newest else (None, "")
    return RecoveryContents(
        kind=kind,
        label=label,
        owner=root.uid,
        images=images,
        kernel=_kernel(files, f"{folder}/{branding.boot_kernel}"),
        image_kernel=image,
        image_problem=problem,
        files={path: files.read(f"{folder}/{path}", _MOST) for path in present},
    )


def _mounted(folder: str, processes: Processes) -> tuple[str, str]:
    """Kind and label of the file system that is mounted there; "" if none is, or the label is not known."""
    argv = ("findmnt", "--json", "--output", "FSTYPE,LABEL", "--mountpoint", os.path.realpath(folder))
    try:
        raw = processes.run(argv).output
    except ToolFailed:
        return "", ""
    root = read_object("findmnt", raw)
    mounts = root.objects("filesystems", required=True)
    last = mounts[-1] if mounts else root
    return finish("findmnt", root, (last.text("fstype"), last.text("label")))


def _image_kernel(
    archives: Archives, path: str, progress: ProgressReport, branding: Branding
) -> tuple[KernelFacts | None, str]:
    """The kernel, and why a restore would refuse the image, "" if it would not."""
    try:
        image = archives.verify(path, progress, MAX_ARCHIVE)
        problems = image_problems(image, branding, locks_accounts=True)
        return image_kernel(image), "; ".join(str(problem) for problem in problems)
    except (BadInput, IntegrityFault) as error:
        return None, str(error)


def _names(files: Files, folder: str) -> tuple[str, ...] | None:
    return None if files.status(folder) is None else files.names(folder)


def _kernel(files: Files, path: str) -> KernelFacts | None:
    try:
        return parse_bzimage(files.read_start(path, KERNEL_START))
    except (BadInput, DeviceFault):
        return None
