"""The owner of lab units whose kernels have keys: one for all units, with keys that follow from its name.

The keys are no secret. They are for units that hold nothing but the lab's own systems.
"""

from __future__ import annotations

import os

from gprov.apps.host.initramfs.hostfiles import read_file, write_file
from gprov.apps.host.simulation.owner import Owner, sign
from gprov.domain.image.companions import companions_of
from gprov.domain.image.manifest import SIGNATURE_SUFFIX
from gprov.domain.trust.built_in import BuiltInTrust
from gprov.domain.trust.policy import TrustPolicy

_OWNER = Owner("lab")


def lab_trust() -> BuiltInTrust:
    """What kernels of such units are built with."""
    return BuiltInTrust(_OWNER.trust_chain, TrustPolicy.ENFORCE)


def sign_image(image: str, folder: str) -> dict[str, str]:
    """Write manifest and signature of an image into a folder; return their paths by name. ``image``: its path. Raises
    BadInput, DeviceMissing, DeviceFault."""
    name = os.path.basename(image)
    manifest = _OWNER.manifest(name, read_file(image))
    made = {}
    for beside, content in zip(companions_of(name), (manifest, sign(_OWNER.first, manifest)), strict=True):
        made[beside] = os.path.join(folder, beside)
        write_file(made[beside], content)
    return made


def sign_file(path: str) -> None:
    """Write the signature of a file beside it. Raises DeviceMissing, DeviceFault."""
    write_file(path + SIGNATURE_SUFFIX, sign(_OWNER.first, read_file(path)))
