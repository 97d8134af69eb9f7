"""What a RECOVERY that gprovision made holds, and what gprov will do with it: findings from its files. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from gprov.domain.boot.args import FALLBACK_ARGUMENT
from gprov.domain.boot.grub.grub4dos import FALLBACK_MENU, FIRST_MENU
from gprov.domain.branding import Branding
from gprov.domain.disk.recovery_label import RECOVERY_KINDS
from gprov.domain.errors import BadInput
from gprov.domain.formats.bzimage import Comparison, KernelFacts, newest
from gprov.domain.image.history import MAX_FAILURES, History, parse_history
from gprov.domain.image.select import Preference, rank
from gprov.domain.recovery_files import (
    HISTORY_FILE,
    IMAGE_FOLDER,
    INSECURE_STORAGE,
    OPTIONS_FILE,
    PLATFORM_IDENT,
    SAVED_NETWORK_FILE,
)
from gprov.domain.unit.insecure_storage import parse_insecure_storage
from gprov.domain.unit.netsaved import parse_saved
from gprov.domain.unit.restore_options import parse_options

# A folder of the host of a virtual machine.
_SHARED = "9p"


class Weight(Enum):
    """The values are shown. BLOCKS: the unit would not be restored, or not by gprov."""

    FINE = "fine"
    NOTE = "note"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject``: a path on RECOVERY, or what else is judged; ``text``: what it is and what happens with it or is to
    be done."""

    subject: str
    weight: Weight
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryContents:
    """``kind`` and ``label`` of the file system, "" if not known. ``owner``: user id of the root folder. ``images``:
    names in the image folder; None without that folder. ``kernel``: in its place; None if it is missing or unusable.
    ``image_kernel``: that in the newest image, None if it was not read; ``image_problem``: why a restore would refuse
    that image. ``files``: content by path."""

    kind: str
    label: str
    owner: int
    images: Sequence[str] | None
    kernel: KernelFacts | None
    image_kernel: KernelFacts | None
    image_problem: str = ""
    files: Mapping[str, bytes]


def judge(contents: RecoveryContents, branding: Branding, code_names: Sequence[str] | None = None) -> list[Finding]:
    """``code_names``: of the platforms of the new kernels; None to compare with none."""
    log = branding.log_folder
    return [
        *_volume(contents, branding),
        *_kernels(contents, branding),
        *_images(contents, branding),
        *_menus(contents.files, branding),
        *_password(contents.files),
        *_options(contents.files),
        *_parsed(contents.files, f"{log}/{SAVED_NETWORK_FILE}"),
        *_platform(contents.files, code_names),
    ]


def _volume(contents: RecoveryContents, branding: Branding) -> Iterator[Finding]:
    yield _file_system(contents.kind)
    if contents.label not in ("", branding.recovery_label):
        text = f"is {contents.label}: units look for {branding.recovery_label}; set it with e2label"
        yield Finding("label", Weight.BLOCKS, text)
    if contents.owner != 0:
        text = (
            f"belongs to user {contents.owner}: the first restore gives it, and what is in it, to root. For an updater "
            "that is not root set AdminOwnsFolders in appliance.json"
        )
        yield Finding("root folder", Weight.NOTE, text)


def _file_system(kind: str) -> Finding:
    subject, kinds = "file system", ", ".join(sorted(RECOVERY_KINDS))
    if not kind:
        return Finding(subject, Weight.NOTE, f"not known: the folder is no mounted volume. It must be {kinds}")
    if kind in RECOVERY_KINDS:
        return Finding(subject, Weight.FINE, kind)
    way = "give the machine a disk for it" if kind == _SHARED else "copy the files, make it ext3 and copy them back"
    return Finding(subject, Weight.BLOCKS, f"RECOVERY of gprov cannot be {kind}: {way}")


def _kernels(contents: RecoveryContents, branding: Branding) -> Iterator[Finding]:
    name, kernel, other = branding.boot_kernel, contents.kernel, contents.image_kernel
    if kernel is None:
        yield Finding(name, Weight.BLOCKS, "is missing or no kernel: on UEFI mount the ESP in ESP, then copy gprov's")
    else:
        yield Finding(name, Weight.FINE, f"{kernel.release} {kernel.version}")
    if other is None:
        return
    where = "kernel of the newest image"
    try:
        newer = newest(kernel, other)
    except BadInput as error:
        yield Finding(where, Weight.BLOCKS, str(error))
        return
    match newer:
        case Comparison.FIRST:
            number = kernel.build_number if kernel is not None else None
            text = f"#{other.build_number} loses against RECOVERY's #{number}, which a restore puts into the system"
            yield Finding(where, Weight.BLOCKS, f"{text}: build it with a higher BUILD_NUMBER")
        case Comparison.SECOND:
            yield Finding(where, Weight.FINE, f"#{other.build_number}: a restore puts it on RECOVERY, too")
        case Comparison.SAME if kernel != other:
            text = f"#{other.build_number} is the number of RECOVERY's too, which is another kernel: that may stay"
            yield Finding(where, Weight.BLOCKS, f"{text}. Build the image's with a higher BUILD_NUMBER")
        case Comparison.SAME:
            yield Finding(where, Weight.FINE, f"#{other.build_number}, as RECOVERY's: neither replaces the other")


def _images(contents: RecoveryContents, branding: Branding) -> Iterator[Finding]:
    ranking = rank(contents.images or (), branding.image_prefix, Preference.LATEST)
    if not ranking.candidates:
        yield Finding(IMAGE_FOLDER, Weight.BLOCKS, f"has no image named {branding.image_prefix}…: nothing to restore")
        return
    newest_name, *others = ranking.candidates
    if contents.image_problem:
        yield Finding(f"{IMAGE_FOLDER}/{newest_name.filename}", Weight.BLOCKS, contents.image_problem)
    else:
        text = f"{newest_name.filename} is restored first; then, if it fails, {len(others)} other(s)"
        yield Finding(IMAGE_FOLDER, Weight.FINE, text)
    for rejected in ranking.rejected:
        yield Finding(f"{IMAGE_FOLDER}/{rejected.filename}", Weight.NOTE, f"is never restored: {rejected.reason}")
    path = f"{branding.log_folder}/{HISTORY_FILE}"
    history = History()
    if path in contents.files:
        try:
            history = parse_history(contents.files[path])
        except BadInput as error:
            yield Finding(path, Weight.NOTE, f"a new history is begun: {error}")
    for name in ranking.candidates:
        if (count := history.failures(name.stem)) > MAX_FAILURES:
            yield Finding(path, Weight.NOTE, f"{name.stem} has failed {count} times: it is tried after all others")


def _menus(files: Mapping[str, bytes], branding: Branding) -> Iterator[Finding]:
    if FIRST_MENU not in files:
        return
    text = (
        "grub4dos starts the kernel of the data disk's boot partition first: replace that one, too. It stays the loader"
    )
    yield Finding(FIRST_MENU, Weight.NOTE, text)
    if f"{branding.environment_prefix}{FALLBACK_ARGUMENT}=1".encode() not in files.get(FALLBACK_MENU, b""):
        text = (
            "until the first restore, it restores the unit whenever the BIOS misses the data disk: add "
            f"{branding.environment_prefix}{FALLBACK_ARGUMENT}=1 to its kernel line"
        )
        yield Finding(FALLBACK_MENU, Weight.NOTE, text)


def _password(files: Mapping[str, bytes]) -> Iterator[Finding]:
    if INSECURE_STORAGE not in files:
        return
    try:
        parse_insecure_storage(INSECURE_STORAGE, files[INSECURE_STORAGE])
    except BadInput as error:
        text = f"{error}: without secrets/admin.hash, a restore locks the administrator's account"
        yield Finding(INSECURE_STORAGE, Weight.NOTE, text)
        return
    text = "passwords in plain text: the restored system keeps the administrator's; then the file is removed"
    yield Finding(INSECURE_STORAGE, Weight.NOTE, f"{text}. Change all three")


def _options(files: Mapping[str, bytes]) -> Iterator[Finding]:
    if OPTIONS_FILE not in files:
        return
    try:
        options = parse_options(OPTIONS_FILE, files[OPTIONS_FILE])
    except BadInput as error:
        yield Finding(OPTIONS_FILE, Weight.NOTE, f"is not used: {error}")
        return
    if options.xlog:
        text = f"XLog {options.xlog} must be a factory server of gprov: that of gprovision is not spoken with"
        yield Finding(OPTIONS_FILE, Weight.NOTE, text)
    if options.boot_args:
        yield Finding(OPTIONS_FILE, Weight.FINE, f"BootArgs go into the boot entries: {options.boot_args}")


def _parsed(files: Mapping[str, bytes], path: str) -> Iterator[Finding]:
    if path not in files:
        return
    try:
        saved = parse_saved(path, files[path])
    except BadInput as error:
        yield Finding(path, Weight.NOTE, f"is not restored: {error}")
    else:
        yield Finding(path, Weight.FINE, f"{len(saved)} file(s) of network configuration, which a restore puts back")


def _platform(files: Mapping[str, bytes], code_names: Sequence[str] | None) -> Iterator[Finding]:
    if PLATFORM_IDENT not in files:
        return
    name = files[PLATFORM_IDENT].decode(errors="replace").strip()
    if code_names is None:
        yield Finding(PLATFORM_IDENT, Weight.NOTE, f"the platform table of your kernels must have exactly one {name}")
    elif code_names.count(name) == 1:
        yield Finding(PLATFORM_IDENT, Weight.FINE, f"{name}, if the machine is not identified otherwise")
    else:
        text = f"{name} is {code_names.count(name)} times in the table: a machine that needs this name is not restored"
        yield Finding(PLATFORM_IDENT, Weight.BLOCKS, text)
