"""Simulated units whose kernels have the keys of an owner, and a factory that serves signed files."""

from __future__ import annotations

import hashlib
import json

from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL
from gprov.apps.host.simulation.owner import Owner, sign
from gprov.apps.host.simulation.world import World
from gprov.domain.branding import Branding
from gprov.domain.image.companions import companions_of
from gprov.domain.image.manifest import SIGNATURE_SUFFIX, Release
from gprov.domain.image.name import SUFFIX
from gprov.domain.trust import built_in
from gprov.domain.trust.policy import TrustPolicy

MANUF_SIGNATURE_URL = MANUF_URL + SIGNATURE_SUFFIX
# An image without a signature, newer than all others.
FORBIDDEN = f"{Branding().image_prefix}2030-01-01.1.upd"


def later_owner() -> Owner:
    """The owner with a longer chain, whose first key is still good."""
    owner = Owner()
    owner.state([owner.first, "second signer"])
    return owner


def sign_world(world: World) -> None:
    """A unit whose kernels have the keys of the owner, and its factory."""
    sign_factory(world, Owner())
    build_in(world, Owner())


def build_in(world: World, owner: Owner, policy: TrustPolicy | None = TrustPolicy.ENFORCE, version: int = 0) -> None:
    """Both kernels are those of a build with this chain, policy and security version."""
    world.built_in = {built_in.CHAIN_PATH: owner.chain}
    if policy is not None:
        world.built_in[built_in.POLICY_FILE] = built_in.serialise_policy(policy)
    if version:
        world.built_in[built_in.SECURITY_VERSION_FILE] = built_in.serialise_security_version(version)


def sign_factory(world: World, owner: Owner, release: Release | None = None, signer: str = "") -> None:
    """Sign all images that the factory serves, and its manufData.json, with the owner's first key or ``signer``."""
    key = signer or owner.first
    files = world.origin.content
    for url in [url for url in files if url.endswith(SUFFIX)]:
        name = url.rpartition("/")[2]
        manifest = owner.manifest(name, files[url], release, world.branding)
        for beside, content in zip(companions_of(name), (manifest, sign(key, manifest)), strict=True):
            serve(world, beside, content)
    sign_manuf(world, owner, signer)


def sign_manuf(world: World, owner: Owner, signer: str = "") -> None:
    """Sign manufData.json as it is now."""
    world.origin.content[MANUF_SIGNATURE_URL] = sign(signer or owner.first, world.origin.content[MANUF_URL])


def signed_files(
    filename: str, image: bytes, owner: Owner, release: Release | None = None, signer: str = ""
) -> dict[str, bytes]:
    """The image and what belongs beside it, by file name."""
    manifest = owner.manifest(filename, image, release)
    names = companions_of(filename)
    return {filename: image, names[0]: manifest, names[1]: sign(signer or owner.first, manifest)}


def serve(world: World, name: str, content: bytes) -> None:
    """A file of the factory, which manufData.json lists, in place of one of the same name."""
    files, url = world.origin.content, f"{BASE_URL}/{name}"
    files[url] = content
    document = json.loads(files[MANUF_URL])
    others = [file for file in document["Files"] if file["Src"] != url]
    document["Files"] = [*others, {"Src": url, "Sha256": hashlib.sha256(content).hexdigest()}]
    files[MANUF_URL] = json.dumps(document).encode()
