"""Lab scenarios for power cuts: a unit before a stage, the recording of that stage, and the expected content.

Files in a folder of the cache:

    unit.json, disks …   the unit before the stage, never started again
    recording/           the recording of the undisturbed stage
    serial-<stage>.log   its console output
    expected.json        content of the disks after a restore
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import partial

from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file, write_file
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.external_tools import manifest
from gprov.apps.host.lab.factory import factory_for
from gprov.apps.host.lab.inspection import ExpectedContent, primary_tree
from gprov.apps.host.lab.lifecycle import PROVISION, PROVISIONED, RESTORE, RESTORED, STARTED, UNIT_ARGUMENTS, Lab
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.owner import sign_image
from gprov.apps.host.lab.products import FIRST_IMAGE, ProductBuilder, Products, file_digest
from gprov.apps.host.lab.recording import Recording, recorded, require_recordable
from gprov.apps.host.lab.smallroot import SmallImages, renumbered
from gprov.apps.host.lab.stage import Expectation, StageResult, StageRunner
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec, spec_text
from gprov.apps.host.lab.volumes import ext_volume, partitions, raw_view, remove_flag
from gprov.domain.branding import Branding
from gprov.domain.errors import IntegrityFault, ToolFailed
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.image.name import ImageName
from gprov.domain.recovery_files import IMAGE_FOLDER
from gprov.ports.process import Processes

NEWER_IMAGE = ImageName(date(2024, 2, 1), 2, "0002", Branding().image_prefix)
NEWER_BUILD = 9
# Paths of the image that a restore changes.
_WRITTEN = ("etc", "etc/shadow", "boot", "var/log")
_KIND = "cuts"
_KERNELS = "newer-kernels"
_FORMAT = "1"  # increment when this module makes other scenarios from the same products
_KEPT = 6
_EXPECTED = "expected.json"
_RECORDING = "recording"

MakeUnit = Callable[[str], VirtualUnit]


class CutStage(Enum):
    """The stage that is cut. RESTORE: a restore of a newer image with a newer kernel on a unit that has run before, so
    that everything is replaced that a restore can replace."""

    PROVISION = PROVISION
    RESTORE = RESTORE


# UUIDs of volumes and arrays, the number of boot attempts; passwords, if another factory server makes them.
_ALWAYS_DIFFERENT = frozenset(
    ("etc/fstab", "etc/mdadm/mdadm.conf", "etc/provisioning/array.json", "etc/provisioning/boots_started")
)
_VARYING = {CutStage.RESTORE: _ALWAYS_DIFFERENT, CutStage.PROVISION: _ALWAYS_DIFFERENT | {"etc/shadow"}}


@dataclass(frozen=True, kw_only=True)
class CutScenario:
    """``products``: files that the unit is provisioned from."""

    unit: VirtualUnit
    stage: CutStage
    recording: Recording
    expected: ExpectedContent
    products: Products
    serial_log: str


class CutScenarios:
    """Makes scenarios, each once for each version of its inputs."""

    def __init__(
        self,
        processes: Processes,
        cache: Cache,
        progress: BuildProgress,
        builder: ProductBuilder,
        images: SmallImages,
        stages: StageRunner,
    ) -> None:
        self._processes = processes
        self._cache = cache
        self._progress = progress
        self._builder = builder
        self._images = images
        self._stages = stages

    def scenario(self, stage: CutStage, spec: VirtualUnitSpec, base: MakeUnit | None = None) -> CutScenario:
        """``base``: takes a folder, in which it puts a unit of this kind that was provisioned from the small products,
        restored and started; without it such a unit is made. Raises BadInput for disks that cannot be recorded."""
        require_recordable(spec.machine(""))
        products, newer = self._products()
        digests = json.dumps({**products.digests(), "newer": file_digest(newer)})
        key = content_key(_FORMAT, stage.value, digests, spec_text(spec))
        with self._cache.lock(f"{_KIND}-{key}", lambda: self._progress.note("lab scenario: waiting for another run")):
            found = self._cache.find(_KIND, key)
            if found is None:
                self._progress.note(f"lab scenario {stage.value}: make and record a unit")
                make_unit = base or partial(self._new_unit, spec, products)
                make = {
                    CutStage.RESTORE: partial(self._make_restored, make_unit, products, newer),
                    CutStage.PROVISION: partial(self._make_provisioned, spec, products, base),
                }
                found = self._cache.publish(_KIND, key, make[stage])
        with self._cache.lock(_KIND, lambda: None):  # two runs must not remove the same entry
            self._cache.keep_newest(_KIND, _KEPT)
        return CutScenario(
            unit=VirtualUnit.open(found),
            stage=stage,
            recording=Recording.open(os.path.join(found, _RECORDING)),
            expected=_read_expected(os.path.join(found, _EXPECTED), stage, file_digest(products.normal_kernel)),
            products=products,
            serial_log=os.path.join(found, f"serial-{stage.value}.log"),
        )

    def _products(self) -> tuple[Products, str]:
        """Return the products and the path of the newer image."""
        products = small_products(self._builder, self._images)
        newer = self._images.image(self._newer_kernel(products.normal_kernel), NEWER_IMAGE)
        return products, newer

    def _newer_kernel(self, kernel: str) -> str:
        """Return a kernel with a higher build number, cached by the content of ``kernel``."""
        key = content_key(file_digest(kernel), str(NEWER_BUILD))
        with self._cache.lock(_KERNELS, lambda: None):
            newer = self._cache.find(_KERNELS, key) or self._cache.publish(
                _KERNELS, key, lambda path: write_file(path, renumbered(read_file(kernel), NEWER_BUILD))
            )
            self._cache.keep_newest(_KERNELS, _KEPT)
        return newer

    def _new_unit(self, spec: VirtualUnitSpec, products: Products, folder: str) -> VirtualUnit:
        unit, results = Lab(self._processes, self._stages, lambda: products).lifecycle(folder, spec)
        _require(results)
        return unit

    def _make_restored(self, make_unit: MakeUnit, products: Products, newer: str, folder: str) -> None:
        unit = make_unit(folder)
        number = _last_partition(self._processes, unit)
        images = {products.image_name: products.image, os.path.basename(newer): newer}
        added = {os.path.basename(newer): newer}
        if unit.spec.signed:
            added |= sign_image(newer, folder)
        with ext_volume(self._processes, unit.recovery, number, writable=True) as recovery:
            for name, path in added.items():
                recovery.add(path, f"/{IMAGE_FOLDER}/{name}")
        remove_flag(self._processes, unit)
        overlay = unit.overlay(os.path.join(folder, "trial"), self._processes)
        self._record(unit, overlay, RESTORE, RESTORED)
        _require([self._stages.run("boot", overlay.machine(), overlay.serial_log("boot"), STARTED)])
        with os_errors_translated(folder):
            self._keep_expected(unit, overlay, newer, images | added)
            shutil.rmtree(overlay.folder)

    def _make_provisioned(self, spec: VirtualUnitSpec, products: Products, base: MakeUnit | None, folder: str) -> None:
        unit = VirtualUnit.create(folder, spec, self._processes)
        overlay = unit.overlay(os.path.join(folder, "trial"), self._processes)
        with factory_for(self._processes, overlay, "") as factory:
            factory.server.publish(products.published(), spec)
            arguments = (*factory.server.arguments, *UNIT_ARGUMENTS)
            kernel = DirectKernel(products.provision_kernel, arguments)
            self._record(unit, overlay, PROVISION, PROVISIONED, kernel)
            if base is None:
                for name, expectation in ((RESTORE, RESTORED), ("boot", STARTED)):
                    _require([self._stages.run(name, overlay.machine(), overlay.serial_log(name), expectation)])
        whole = overlay if base is None else base(os.path.join(folder, "whole"))
        with os_errors_translated(folder):
            self._keep_expected(unit, whole, products.image, {products.image_name: products.image})
            for each in {overlay.folder, whole.folder}:
                shutil.rmtree(each)

    def _record(
        self,
        unit: VirtualUnit,
        overlay: VirtualUnit,
        name: str,
        expectation: Expectation,
        kernel: DirectKernel | None = None,
    ) -> None:
        serial_log = unit.serial_log(name)
        machine = overlay.machine() if kernel is None else overlay.machine().booting(kernel)
        with recorded(machine, unit.path(_RECORDING), serial_log) as recorded_machine:
            _require([self._stages.run(name, recorded_machine, serial_log, expectation)])

    def _keep_expected(self, unit: VirtualUnit, overlay: VirtualUnit, image: str, images: dict[str, str]) -> None:
        tree = primary_tree(self._processes, overlay)
        self._compare_with_image(tree, image)
        kernel = tree[f"boot/{Branding().boot_kernel}"].split()[-1]
        found = {
            "primary": [f"{path}\t{facts}" for path, facts in sorted(tree.items())],
            "images": [f"{name}\t{file_digest(path)}" for name, path in images.items()],
            "kernel": kernel,
        }
        write_file(unit.path(_EXPECTED), json.dumps(found, indent=1).encode())

    def _compare_with_image(self, tree: dict[str, str], image: str) -> None:
        """Compare with the image as unpacked by tar, independently of any restore."""
        with tempfile.TemporaryDirectory(prefix="gprov-compared-") as folder:
            self._processes.run(("tar", "--extract", "--xz", "--numeric-owner", "-p", f"--file={image}", "-C", folder))
            inside = manifest(folder)
        different = [
            path
            for path, facts in inside.items()
            if path not in _WRITTEN and path != "imgmeta.json" and tree.get(path) != facts
        ]
        if different:
            raise IntegrityFault(image, f"restored tree differs from the image: {', '.join(sorted(different)[:10])}")


def small_products(builder: ProductBuilder, images: SmallImages) -> Products:
    """Both kernels and a small image."""
    kernel = builder.kernel(Flavor.NORMAL)
    return Products(kernel, builder.kernel(Flavor.MFG), images.image(kernel, FIRST_IMAGE), builder.certificate)


def _require(results: Sequence[StageResult]) -> None:
    for result in results:
        if not result.passed:
            raise ToolFailed("lab", f"{result.name}: {result.reason}", output="\n".join(result.tail))


def _last_partition(processes: Processes, unit: VirtualUnit) -> int:
    with raw_view(processes, unit.recovery) as view:
        return partitions(processes, view)[-1].number


def _read_expected(path: str, stage: CutStage, older_kernel: str) -> ExpectedContent:
    root = read_object(path, read_file(path))
    primary = dict(line.split("\t") for line in root.texts("primary", required=True))
    images = dict(line.split("\t") for line in root.texts("images", required=True))
    kernel = root.text("kernel", required=True)
    return finish(
        path,
        root,
        ExpectedContent(
            primary=primary, varying=_VARYING[stage], images=images, kernel=kernel, older_kernel=older_kernel
        ),
    )
