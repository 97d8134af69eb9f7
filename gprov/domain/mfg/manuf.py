"""Parses manufData.json, the input of provisioning."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from gprov.domain.branding import Branding
from gprov.domain.errors import Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.unfilled import note_unfilled
from gprov.domain.formats.json.unknown import note_misspelt
from gprov.domain.mfg.burnin.spec import BurnInSpec
from gprov.domain.mfg.burnin.specread import read_burn_in
from gprov.domain.mfg.config_tool import tool_of
from gprov.domain.mfg.fileread import (
    read_credential_endpoint,
    read_endpoint,
    read_file,
    read_into_folder,
    read_url,
)
from gprov.domain.mfg.files import PlacementKind, RemoteFile, destination, destination_problem
from gprov.domain.mfg.spec import DiskSpec, HardwareSpec
from gprov.domain.mfg.specread import read_spec
from gprov.domain.mfg.stepread import read_platform_steps
from gprov.domain.mfg.steps import PlatformSteps
from gprov.domain.mfg.urls import url_problem
from gprov.domain.platform.model import Platform
from gprov.domain.recovery_files import IMAGE_FOLDER

# Bytes of a document that a unit fetches: far more than any has, and what a unit parses in a second.
MAX_DOCUMENT = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ManufData:
    """Content of manufData.json. Missing URLs are ""; ``credential_endpoint`` "" is the server of ``log_endpoint``.
    ``warnings``: valid but suspicious entries, with JSON path. ``readings``: values in a spelling of gprovision, and
    how they were understood."""

    appliance_json_url: str
    files: tuple[RemoteFile, ...]
    log_endpoint: str
    credential_endpoint: str
    stash_files: tuple[RemoteFile, ...]
    validation: tuple[HardwareSpec, ...]
    steps: tuple[PlatformSteps, ...]
    burn_ins: tuple[BurnInSpec, ...] = ()
    warnings: tuple[Problem, ...] = ()
    readings: tuple[Problem, ...] = ()

    def spec_for(self, code_name: str) -> HardwareSpec | None:
        return next((spec for spec in self.validation if spec.code_name == code_name), None)

    def steps_for(self, code_name: str) -> PlatformSteps:
        """Steps of a platform; empty if the file has no entry for it."""
        found = (steps for steps in self.steps if steps.code_name == code_name)
        return next(found, PlatformSteps(code_name, ()))

    def burn_in_for(self, code_name: str) -> BurnInSpec | None:
        return next((one for one in self.burn_ins if one.code_name == code_name), None)

    def all_files(self) -> Iterator[RemoteFile]:
        """Every file that units may fetch."""
        return (file for _, file in self.placed_files())

    def placed_files(self) -> Iterator[tuple[str, RemoteFile]]:
        """Every file that units may fetch, after its JSON path."""
        yield from _numbered("$.Files", self.files)
        yield from _numbered("$.StashFiles", self.stash_files)
        for index, platform in enumerate(self.steps):
            where = f"$.CustomPlatCfgSteps[{index}]"
            for use, file in platform.settings.items():
                yield f"{where}.{use.settings_key}", file
            for number, step in enumerate(platform.steps):
                yield from _numbered(f"{where}.ConfigSteps[{number}].Files", step.files)

    def image(self, branding: Branding) -> RemoteFile:
        """The first image among the files; the parser guarantees that there is one."""
        return next(file for file in self.files if destination(file, branding, True).kind is PlacementKind.IMAGE)


def _numbered(where: str, files: Sequence[RemoteFile]) -> Iterator[tuple[str, RemoteFile]]:
    return ((f"{where}[{index}]", file) for index, file in enumerate(files))


def parse_manuf(source: str, data: bytes, branding: Branding, platforms: Sequence[Platform] | None = None) -> ManufData:
    """Raises BadInput with all problems. ``source`` names the file. ``platforms``: of the platform table, None if
    it is not known."""
    root = read_object(source, data)
    refuse_other_kind(root)
    warnings: list[Problem] = []
    readings: list[Problem] = []
    entries = root.objects("Files", required=True)
    files = tuple(read_file(entry, warnings, readings) for entry in entries)
    if root.has("Files"):
        _check_places(root, entries, files, branding)
    spec_entries, step_entries = root.objects("ValidationData", required=True), root.objects("CustomPlatCfgSteps")
    specs = tuple(read_spec(entry, warnings) for entry in spec_entries)
    steps = tuple(read_platform_steps(entry, warnings) for entry in step_entries)
    burn_in_entries = root.objects("BurnIn")
    burn_ins = tuple(map(read_burn_in, burn_in_entries))
    if root.has("ValidationData") and not spec_entries:
        root.problem("ValidationData", "must list at least one platform: without its entry no unit passes")
    _check_code_names(spec_entries, [spec.code_name for spec in specs], platforms)
    for entry, spec in zip(spec_entries, specs, strict=True):
        _check_controller(entry, spec, platforms or ())
        warnings += _too_few_disks(entry, spec, platforms or ())
    for entry, platform in zip(step_entries, steps, strict=True):
        _check_tools(entry, platform, platforms or ())
    for more, names, never in (
        (step_entries, [platform.code_name for platform in steps], "its steps never run"),
        (burn_in_entries, [one.code_name for one in burn_ins], "its burn-in never runs"),
    ):
        _check_code_names(more, names, platforms)
        warnings += _without_specification(more, names, {spec.code_name for spec in specs}, never)
    manuf = ManufData(
        appliance_json_url=read_url(root, "ApplianceJsonUrl"),
        files=files,
        log_endpoint=read_endpoint(root, "LogEndpoint", readings, required=True),
        credential_endpoint=read_credential_endpoint(root, readings),
        stash_files=read_into_folder(root.objects("StashFiles"), warnings),
        validation=specs,
        steps=steps,
        burn_ins=burn_ins,
        readings=tuple(readings),
    )
    note_unfilled(root)
    unknown = note_misspelt(root)
    return finish(source, root, replace(manuf, warnings=(*warnings, *unknown)))


def refuse_other_kind(root: JsonObject) -> None:
    """Add a problem if the document says of what kind it is: the manifests of images do, which the same keys sign, so
    that the signature of a document could be used as that of a manifest with the same bytes."""
    if root.has("Kind"):
        root.problem("Kind", "is a key of other signed documents: no manufData.json has it")


def _without_specification(
    entries: Sequence[JsonObject], names: Sequence[str], validated: Collection[str], never: str
) -> Iterator[Problem]:
    for entry, name in zip(entries, names, strict=True):
        if name and name not in validated:
            yield Problem(f"{entry.path}.DevCodeName", f"{name} has no entry in ValidationData: {never}")


def parse_specifications(source: str, data: bytes) -> tuple[HardwareSpec, ...]:
    """``ValidationData`` alone, whatever else the file has. Raises BadInput with all problems of it."""
    root = read_object(source, data)
    entries = root.objects("ValidationData", required=True)
    specs = tuple(read_spec(entry, []) for entry in entries)
    _check_code_names(entries, [spec.code_name for spec in specs], None)
    return finish(source, root, specs)


def _check_code_names(
    entries: Sequence[JsonObject], names: Sequence[str], platforms: Sequence[Platform] | None
) -> None:
    """Each platform may have one entry: a second one would be ignored."""
    known = None if platforms is None else {platform.code_name for platform in platforms}
    seen: dict[str, str] = {}
    for entry, name in zip(entries, names, strict=True):
        first = seen.setdefault(name, entry.path)
        if not name:
            continue
        if first != entry.path:
            entry.problem("DevCodeName", f"{name} has an entry already: {first}")
        if known is not None and name not in known:
            entry.problem("DevCodeName", f"{name} is not in the platform table")


def _check_controller(entry: JsonObject, spec: HardwareSpec, platforms: Sequence[Platform]) -> None:
    """Versions that only a management controller reports, of a platform without one: no unit would pass."""
    variants = [platform for platform in platforms if platform.code_name == spec.code_name]
    if variants and not any(platform.ipmi for platform in variants):
        for key in spec.firmware_version.of_controller:
            text = f"no unit has this version: IPMI of {spec.code_name} is not true in the platform table"
            entry.problem(f"FirmwareVer.{key}", text)


def _too_few_disks(entry: JsonObject, spec: HardwareSpec, platforms: Sequence[Platform]) -> Iterator[Problem]:
    """Disks that are as specified, but are no set of data disks of the platform."""
    variants = [platform for platform in platforms if platform.code_name == spec.code_name]
    for index, disks in enumerate(spec.main_disks):
        counts = [sum(disk.quantity for disk in disks if _data_disk(disk, platform)) for platform in variants]
        if variants and all(count < platform.data_disks for count, platform in zip(counts, variants, strict=True)):
            text = (
                f"{max(counts)} of these disks have the Disksize of {spec.code_name}, and NumDataDisks is"
                f" {variants[0].data_disks}: no unit with them can be provisioned"
            )
            yield Problem(f"{entry.path}.MainDiskConfigs[{index}]", text)


def _data_disk(disk: DiskSpec, platform: Platform) -> bool:
    """Whether a disk of a size that the specification allows can have one that the platform table allows."""
    margin, wanted = disk.tolerance_percent, platform.target_tolerance_pct
    return disk.size * (100 - margin) <= platform.disk_size * (100 + wanted) and (
        platform.disk_size * (100 - wanted) <= disk.size * (100 + margin)
    )


def _check_tools(entry: JsonObject, steps: PlatformSteps, platforms: Sequence[Platform]) -> None:
    """Settings that no configuration tool of the platform would apply."""
    variants = [platform for platform in platforms if platform.code_name == steps.code_name]
    for use in steps.settings:
        if variants and not any(tool_of(platform, use) for platform in variants):
            text = f"{steps.code_name} has no {use.key} in the platform table to apply them"
            entry.problem(use.settings_key, text)


def _check_places(
    root: JsonObject, entries: Sequence[JsonObject], files: Sequence[RemoteFile], branding: Branding
) -> None:
    """All files have distinct destinations, and an image and the boot kernel are among them."""
    placed: list[tuple[JsonObject, RemoteFile]] = []
    for entry, file in zip(entries, files, strict=True):
        if file.dest is None and url_problem(file.url):
            continue  # the invalid URL is a problem of Src already
        problem = destination_problem(file, branding)
        if problem:
            entry.problem("Src" if file.dest is None else "Dest", problem)
        else:
            placed.append((entry, file))
    for place, message in dict.fromkeys(
        conflict for uefi in (True, False) for conflict in _path_conflicts(placed, branding, uefi)
    ):
        root.problems.append(Problem(place, message))
    kinds = {destination(file, branding, True).kind for _, file in placed}
    if PlacementKind.IMAGE not in kinds:
        root.problem(
            "Files", f"hold no image ({branding.image_prefix}….upd in {IMAGE_FOLDER}/): no unit could be restored"
        )
    if PlacementKind.KERNEL not in kinds:
        root.problem("Files", f"hold no boot kernel ({branding.boot_kernel}): no unit could start")


def _path_conflicts(
    placed: Sequence[tuple[JsonObject, RemoteFile]], branding: Branding, uefi: bool
) -> Iterator[tuple[str, str]]:
    """Yield (place, message) of files that overwrite an earlier file, or need a folder where an earlier file is a file
    (and the reverse). Each is reported with the first conflicting file."""
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}  # folder → first file in it
    for entry, file in placed:
        path = destination(file, branding, uefi).path
        # VFAT ignores case.
        key = path.casefold() if path.startswith(f"{branding.esp_label}/") else path
        needed = [key[:end] for end, character in enumerate(key) if character == "/"]
        conflict = next((seen[folder] for folder in needed if folder in seen), folders.get(key))
        if key in seen:
            yield f"{entry.path}.Dest", f"{path} is the destination of {seen[key]} too"
        elif conflict is not None:
            yield f"{entry.path}.Dest", f"{path} and the destination of {conflict} cannot both exist"
        seen.setdefault(key, entry.path)
        for folder in needed:
            folders.setdefault(folder, entry.path)
