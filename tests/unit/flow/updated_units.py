"""Simulated units with the agent, images and bundles for them."""

from __future__ import annotations

import hashlib

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.update.server import FakeAction
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import build_in, sign_factory, signed_files
from gprov.apps.host.simulation.updates import UpdatedUnit
from gprov.domain.image.manifest import Release
from gprov.domain.image.name import parse_image_name
from gprov.domain.update.bundle import BundleHead, bundle_head, bundle_tail
from gprov.domain.update.sw_description import sw_description
from tests.unit.flow import units
from tests.unit.flow.driver import NEWER, UnitDriver

OLDER = "WIDGET.LNX.SHINY.2026-01-01.1.upd"
BALLAST = {"srv/ballast": hashlib.shake_256(b"ballast").digest(6000)}


def image(extra: dict[str, bytes] | None = None) -> bytes:
    return build_image(build_kernel(100), extra={**BALLAST, **(extra or {})})


def bundle(name: str, owner: Owner, content: bytes, release: Release | None = None) -> dict[str, bytes]:
    files = signed_files(name, content, owner, release)
    head = BundleHead(
        image=name,
        size=len(content),
        description=sw_description(parse_image_name(name, "WIDGET.LNX.SHINY."), ["X"]),
        manifest=files[f"{name}.manifest"],
        signature=files[f"{name}.manifest.minisig"],
        chain=owner.chain,
    )
    return {"system.swu": bundle_head(head) + content + bundle_tail(len(content))}


def plain() -> UpdatedUnit:
    """Its kernel has no keys."""
    return UpdatedUnit(world=units.running().world)


def signed() -> UpdatedUnit:
    """Its kernel enforces signatures of an owner."""
    unit = units.blank()
    sign_factory(unit.world, Owner())
    build_in(unit.world, Owner())
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    return UpdatedUnit(world=unit.world)


def driver(unit: UpdatedUnit) -> UnitDriver:
    return UnitDriver(unit.world)


def images(unit: UpdatedUnit) -> set[str]:
    tree = unit.world.machine.volume_tree("RECOVERY")
    return {path.removeprefix("/Image/") for path in tree.paths() if path.startswith("/Image/")}


def running(unit: UpdatedUnit) -> list[str]:
    return driver(unit).systems()


def refused(unit: UpdatedUnit, action: FakeAction, reason: str) -> None:
    """The action fails with this reason, without a restart, and leaves nothing behind."""
    unit.start()
    result = unit.work()
    assert result.pause > 0
    assert action.results == ["failure"]
    assert reason in action.details
    assert images(unit) >= {IMAGE_NAME}
    assert not any(name.startswith(NEWER) or name.endswith(".partial") for name in images(unit))
    assert not driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")
