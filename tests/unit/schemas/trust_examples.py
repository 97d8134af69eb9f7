"""A manifest, a trust statement and a chain with keys that anyone may make."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from gprov.domain.formats.minisign import PublicKey, Signature, serialise_signature

_KEYS = [PublicKey(bytes([number]) * 8, bytes([number, 2, 3, 4]) * 8).text for number in range(1, 6)]
_ANY = b64encode(b"content").decode()
STATEMENT: dict[str, Any] = {
    "Format": 1,
    "Kind": "gprov trust statement",
    "Version": 2,
    "Roots": _KEYS[:2],
    "Signers": _KEYS[2:3],
    "Revoked": [{"Key": _KEYS[3], "Keep": ["0" * 64]}],
}
_SIGNATURE = serialise_signature(
    Signature(number=b"12345678", signature=bytes(64), trusted_comment="x", global_signature=bytes(64))
).decode()


def _chain() -> dict[str, Any]:
    import json

    content = b64encode(json.dumps(STATEMENT).encode()).decode()
    return {"Format": 1, "Statements": [{"Statement": content, "Signatures": [_SIGNATURE] * 2}]}


CHAIN = _chain()
MANIFEST: dict[str, Any] = {
    "Format": 1,
    "Kind": "gprov image manifest",
    "Name": "WIDGET.LNX.SHINY.2026-01-15.10.upd",
    "Date": "2026-01-15",
    "Build": "10",
    "SecurityVersion": 3,
    "Floor": 2,
    "Platforms": ["X7"],
    "Size": 100,
    "Sha256": "0" * 64,
    "Unpacked": 1000,
    "Members": 10,
    "ContentBytes": 900,
    "Needs": {"Allocated": 4096, "Inodes": 10},
    "Notes": ["a note"],
    "Captured": {
        "KernelPath": "boot/norm_boot",
        "ImgMetaPath": "etc/provisioning/imgmeta.json",
        "InitPaths": ["sbin/init"],
        "Paths": ["etc/passwd"],
        **dict.fromkeys(("Passwd", "Group", "Shadow", "Fstab", "Hosts", "ImgMeta", "KernelStart"), _ANY),
        "HasInit": True,
        "HasNetwork": False,
        "ModuleReleases": ["6.1.0"],
    },
}
