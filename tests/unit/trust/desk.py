"""An owner's desk: a folder with keys, images and chains, and ``gprov`` to work on them."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.apps.host.cli.main import main
from gprov.domain.branding import Branding
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.manifest import Manifest
from gprov.domain.trust.chain import TrustChain, check_chain, parse_chain
from gprov.domain.trust.policy import ManifestFiles, TrustPolicy, UnitTrust, examine


class Desk:
    """``unit_says``: what a unit with a chain of this desk finds about an image."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = self.out = ""

    def path(self, name: str) -> Path:
        return self.folder / name

    def run(self, *words: str) -> int:
        """Words that begin with @ are files of the desk."""
        out, err = io.StringIO(), io.StringIO()
        here = [str(self.path(word[1:])) if word.startswith("@") else word for word in words]
        with redirect_stdout(out), redirect_stderr(err):
            code = main(here)
        self.out, self.said = out.getvalue(), out.getvalue() + err.getvalue()
        return code

    def done(self, *words: str) -> str:
        assert self.run(*words) == 0, self.said
        return self.said

    def json(self, *words: str) -> Any:
        self.done(*words, "--json")
        return json.loads(self.out)

    def key(self, name: str) -> str:
        """Make a key without a passphrase; returns its id."""
        return str(self.json("keys", "new", f"@{name}", "--no-passphrase")["key"])

    def image(self, name: str) -> str:
        filename = f"WIDGET.LNX.SHINY.{name}.upd"
        self.path(filename).write_bytes(build_image(build_kernel(7), extra={"etc/name": name.encode()}))
        return filename

    def signed_image(self, name: str, key: str, *options: str) -> str:
        filename = self.image(name)
        self.done("image", "sign", f"@{filename}", "--key", f"@{key}.key", *options)
        return filename

    def signed(self, statement: str, *roots: str) -> list[str]:
        """Names of the signatures."""
        return [
            "@" + os.path.basename(self.json("keys", "sign", f"@{statement}", "--key", f"@{root}.key")["path"])
            for root in roots
        ]

    def chain(self, name: str) -> TrustChain:
        data = self.path(name).read_bytes()
        return check_chain(name, parse_chain(name, data), PythonVerifier())

    def unit_says(self, image: str, chain: str) -> str | Manifest:
        """What a unit with this chain finds: the manifest, or why it does not trust the image."""
        names = [f"{image}.manifest", f"{image}.manifest.minisig"]
        files = ManifestFiles(
            image, *(self.path(name).read_bytes() if self.path(name).exists() else None for name in names)
        )
        names_of = captured_names(Branding())
        trust = UnitTrust(policy=TrustPolicy.ENFORCE, chain=self.chain(chain), code_name="QEMU", names=names_of)
        found = examine(trust, files, PythonVerifier())
        return found if isinstance(found, Manifest) else found.reason
