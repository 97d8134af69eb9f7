"""An owner of units: keys, a trust chain, signed images, and bundles of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.domain.branding import Branding
from tests.unit.trust.desk import Desk

PLATFORM = "QEMU"


class Owner:
    """Files are in ``folder``: ``s.key`` signs, ``trust.chain`` names it."""

    def __init__(self, folder: Path) -> None:
        self.desk = desk = Desk(folder)
        for name in "abs":
            desk.key(name)
        roots = ("--root", "@a.pub", "--root", "@b.pub")
        desk.done("keys", "new-chain", *roots, "--signer", "@s.pub", "--output", "@1")
        desk.done("keys", "join", "@1", *desk.signed("1", "a", "b"), "--output", "@trust.chain")

    @property
    def chain(self) -> Path:
        return self.desk.path("trust.chain")

    def image(self, name: str, *options: str, ballast: int = 0) -> Path:
        """A signed image. ``name``: date and build, such as 2026-01-15.1; ``options``: of ``gprov image sign``;
        ``ballast``: bytes in it that cannot be compressed."""
        path = self.desk.path(f"{Branding().image_prefix}{name}.upd")
        content = hashlib.shake_256(name.encode()).digest(ballast)
        path.write_bytes(build_image(build_kernel(7), extra={"etc/name": name.encode(), "srv/ballast": content}))
        self.desk.done("image", "sign", str(path), "--key", "@s.key", "--platform", PLATFORM, *options)
        return path

    def files(self, image: Path) -> tuple[Path, Path, Path]:
        """Image, manifest and signature, as they are published on hawkBit."""
        manifest = Path(f"{image}.manifest")
        return image, manifest, Path(f"{manifest}.minisig")

    def bundle(self, image: Path, *options: str) -> Path:
        words = ("update", "bundle", str(image), "--trust", str(self.chain), *options)
        return Path(str(self.desk.json(*words)["path"]))
