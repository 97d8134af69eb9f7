"""Build records as files: JSON documents. Keys that are not known are ignored."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gprov.apps.host.initramfs.build_number import MAX_BUILD_NUMBER
from gprov.apps.host.initramfs.build_record import BuildInputs, BuildRecord, BuildResult, Choices
from gprov.apps.host.initramfs.builds import BEST_LEVEL
from gprov.apps.host.initramfs.debian_packages import Archive
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.image.manifest import MAX_SECURITY_VERSION
from gprov.domain.trust.policy import TrustPolicy

FORMAT = 1
KIND = "gprov build record"
MAX_RECORD = 16 << 20  # bytes
MAX_ROWS = 20_000  # of each list
MAX_NAMES = 1000  # fragments, sets of firmware, packages that the archive lacks


def serialise_record(record: BuildRecord) -> bytes:
    """Inverse of ``parse_record``."""
    inputs, choices, result = record.inputs, record.inputs.choices, record.result
    value = {
        "Format": FORMAT,
        "Kind": KIND,
        "Gprov": {"Version": inputs.version, "Commit": inputs.commit, "Builder": inputs.builder},
        "Options": {
            "Flavor": choices.flavor,
            "BuildNumber": choices.number,
            "Level": choices.level,
            "Fragments": list(choices.fragments),
            "Modules": choices.modules,
            "Firmware": list(choices.firmware),
            **({} if choices.policy is None else {"TrustPolicy": choices.policy}),
            "SecurityVersion": choices.security_version,
        },
        "Environment": _rows(inputs.environment, "Name", "Value"),
        "Configuration": inputs.configuration,
        "Source": inputs.source,
        "Toolchain": _rows(inputs.toolchain, "Name", "Version"),
        "Packages": _rows(inputs.packages, "Name", "Version"),
        "PythonPackages": _rows(inputs.python, "Name", "Version"),
        "Initramfs": _rows(inputs.files, "Path", "Content"),
        "Archive": {"Date": inputs.archive.date, "Lacks": list(inputs.archive.lacks)},
        "Result": {
            "Sha256": result.kernel,
            "Size": result.size,
            "Initramfs": result.initramfs,
            **({"Modules": result.modules} if result.modules else {}),
        },
    }
    return (json.dumps(value, indent=1) + "\n").encode("ascii")


def _rows(table: Mapping[str, str], key: str, value: str) -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in sorted(table.items())]


def parse_record(source: str, data: bytes) -> BuildRecord:
    """Raises BadInput with every problem."""
    root = read_object(source, data)
    root.integer("Format", required=True, minimum=FORMAT, maximum=FORMAT)
    if root.text("Kind", required=True) not in ("", KIND):
        root.problem("Kind", f"must be {KIND!r}")
    gprov, archive = root.object("Gprov", required=True), root.object("Archive")
    inputs = BuildInputs(
        version=gprov.text("Version", required=True) if gprov is not None else "",
        commit=gprov.text("Commit") if gprov is not None else "",
        builder=gprov.text("Builder", required=True) if gprov is not None else "",
        choices=_choices(root.object("Options", required=True)),
        environment=_table(root, "Environment", "Name", "Value"),
        configuration=root.text("Configuration", required=True),
        source=root.text("Source", required=True),
        toolchain=_table(root, "Toolchain", "Name", "Version"),
        packages=_table(root, "Packages", "Name", "Version"),
        python=_table(root, "PythonPackages", "Name", "Version"),
        files=_table(root, "Initramfs", "Path", "Content"),
        archive=Archive(archive.text("Date"), _names(archive, "Lacks")) if archive is not None else Archive(),
    )
    return finish(source, root, BuildRecord(inputs, _result(root.object("Result", required=True))))


def _choices(one: JsonObject | None) -> Choices:
    if one is None:
        return Choices(flavor=Flavor.NORMAL, number=0, level=1)
    policies: Mapping[str, TrustPolicy | None] = {policy.value: policy for policy in TrustPolicy}
    return Choices(
        flavor=one.one_of("Flavor", {flavor.value: flavor for flavor in Flavor}, Flavor.NORMAL, required=True),
        number=one.integer("BuildNumber", required=True, minimum=0, maximum=MAX_BUILD_NUMBER),
        level=one.integer("Level", 1, required=True, minimum=1, maximum=BEST_LEVEL),
        fragments=_names(one, "Fragments", required=True),
        modules=one.boolean("Modules"),
        firmware=_names(one, "Firmware", required=True),
        policy=one.one_of("TrustPolicy", policies, None),
        security_version=one.integer("SecurityVersion", required=True, minimum=0, maximum=MAX_SECURITY_VERSION),
    )


def _names(one: JsonObject, key: str, *, required: bool = False) -> tuple[str, ...]:
    return one.texts(key, required=required, most=_readable(one, key, MAX_NAMES))


def _readable(one: JsonObject, key: str, most: int) -> int:
    """How many members of a list are read: none of one that is too long."""
    count = one.count(key)
    if count <= most:
        return count
    one.problem(key, f"must be at most {most}, are {count}")
    return 0


def _table(root: JsonObject, key: str, name_key: str, value_key: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for row in root.objects(key, required=True, most=_readable(root, key, MAX_ROWS)):
        name = row.text(name_key, required=True)
        if name in found:
            row.problem(name_key, f"stands twice: {name!r}")
        found[name] = row.text(value_key, required=True)
    return found


def _result(one: JsonObject | None) -> BuildResult:
    if one is None:
        return BuildResult(kernel="", size=0, initramfs="")
    return BuildResult(
        kernel=one.text("Sha256", required=True),
        size=one.integer("Size", required=True, minimum=1),
        initramfs=one.text("Initramfs", required=True),
        modules=one.text("Modules"),
    )
