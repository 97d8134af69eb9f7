"""Schemas of documents beside and inside images: metadata, manifest, trust chain and statement."""

from __future__ import annotations

from gprov.domain.image import imgmeta, manifest
from gprov.domain.trust import chain, statement
from tools.schemas.formats import Rule
from tools.schemas.parts import document, filled, flag, hex_digits, items, may, need, record, text, whole, word

_MEANS = {
    "BinVer": "version of the software",
    "BinTime": "when it was built: YYMMDDhhmm, UTC",
    "ImportJob": "job that imported it",
    "ImgJob": "job that made the image",
    "ImgName": "name of the image, with or without .upd",
    "Stream": "branch of development",
}
_TIME = "^([0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([01][0-9]|2[0-3])[0-5][0-9])?$(?!\\n)"
METADATA = document(
    "imgmeta.json",
    "Where an image comes from. docs/reference/images.md",
    record(may(key, text(_TIME) if key == "BinTime" else text(), _MEANS[key]) for key in imgmeta.FIELDS),
)
METADATA_BEYOND = (Rule("BinTime is a date of the calendar", r"BinTime: must be YYMMDDhhmm"),)

_SHA256 = text(hex_digits(64, upper=False, optional=False))
_BASE64 = text("^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$(?!\\n)", contentEncoding="base64")
_VERSION = whole(0, manifest.MAX_SECURITY_VERSION)
_FORMAT = whole(manifest.FORMAT, manifest.FORMAT)
_CAPTURED = record(
    (
        need("KernelPath", filled(), "path of the boot kernel in the image"),
        need("ImgMetaPath", filled(), "path of imgmeta.json in the image"),
        need("InitPaths", items(text()), "paths of which one must be the init program"),
        need("Paths", items(text()), "paths of the files whose content is here"),
        may("Passwd", _BASE64, "content of /etc/passwd"),
        may("Group", _BASE64, "content of /etc/group"),
        may("Shadow", _BASE64, "content of /etc/shadow: only root may read a manifest"),
        may("Fstab", _BASE64, "content of /etc/fstab"),
        may("Hosts", _BASE64, "content of /etc/hosts"),
        may("ImgMeta", _BASE64, "content of imgmeta.json"),
        may("KernelStart", _BASE64, "first bytes of the boot kernel"),
        may("HasInit", flag(), "the image has an init program"),
        may("HasNetwork", flag(), "the image has systemd-networkd"),
        may("ModuleReleases", items(text()), "kernels that the image has modules for"),
    )
)
MANIFEST = document(
    "Manifest of an image",
    "What verification found in an image, for a signature: IMAGE.upd.manifest. docs/reference/images.md",
    record(
        (
            need("Format", _FORMAT, "of this document"),
            need("Kind", word([manifest.KIND]), "tells this document from others with a signature"),
            need("Name", filled(), "file name of the image"),
            need("Date", filled(), "date in the name"),
            need("Build", filled(), "build number in the name, as it is written there"),
            need("SecurityVersion", _VERSION, "grows with fixes that matter"),
            need("Floor", _VERSION, "a unit that has started this image refuses lower security versions"),
            may("Platforms", items(text()), "code names of units that may have it; empty for all"),
            need("Size", whole(1), "bytes of the image as stored"),
            need("Sha256", _SHA256, "of the image as stored"),
            need("Unpacked", whole(0), "bytes of the archive, decompressed"),
            need("Members", whole(0), "members of the archive"),
            need("ContentBytes", whole(0), "bytes of all files"),
            need(
                "Needs",
                record(
                    (
                        need("Allocated", whole(0), "bytes of blocks on PRIMARY"),
                        need("Inodes", whole(0), "inodes on PRIMARY"),
                    )
                ),
                "room on PRIMARY",
            ),
            may("Notes", items(text()), "what is left out when it is unpacked"),
            need("Captured", _CAPTURED, "content that a restore needs before it unpacks"),
        )
    ),
)
MANIFEST_BEYOND = (
    Rule("Name is a name of an image, with Date and Build", r"\$\.Name: (prefix|date|build|suffix|:|must be the name)"),
    Rule("Floor is at most SecurityVersion", r"Floor: must be at most the security version"),
)
_KEY = text("^[A-Za-z0-9+/]{56}$(?!\\n)")
STATEMENT = document(
    "Trust statement",
    "Keys of an owner of units at one time; what `gprov keys new-chain` and others write. docs/how-to/signing.md",
    record(
        (
            need("Format", whole(statement.FORMAT, statement.FORMAT), "of this document"),
            need("Kind", word([statement.KIND]), "tells this document from others with a signature"),
            need("Version", whole(1, statement.MAX_VERSION), "one more than that of the statement before"),
            need(
                "Roots",
                items(_KEY, minItems=statement.ROOTS, maxItems=statement.ROOTS),
                "keys that sign statements; a key is one line as minisign -P takes it",
            ),
            need("Signers", items(_KEY), "keys that sign images and manufData.json"),
            need(
                "Revoked",
                items(
                    record(
                        (
                            need("Key", _KEY, "a signer that counts no longer"),
                            need("Keep", items(_SHA256), "SHA-256 of manifests that stay good"),
                        )
                    )
                ),
                "signers that count no longer",
            ),
        )
    ),
)
STATEMENT_BEYOND = (
    Rule("a key, and the id of a key, is named once", r"has the same (id|key) as"),
    Rule("keys are Ed25519 keys that signers make", r"has the algorithm|: the key "),
)
CHAIN = document(
    "trust.chain",
    "All statements of an owner from the first one on, with their signatures. docs/how-to/signing.md",
    record(
        (
            need("Format", whole(chain.FORMAT, chain.FORMAT), "of this document"),
            need(
                "Statements",
                items(
                    record(
                        (
                            need("Statement", {**_BASE64, "minLength": 1}, "a trust statement as it was signed"),
                            need(
                                "Signatures",
                                items(text(), maxItems=2 * statement.ROOTS),
                                "each the content of a file of minisign: both roots, and those of the one before",
                            ),
                        )
                    ),
                    minItems=1,
                ),
                "from the first one on",
            ),
        )
    ),
)
CHAIN_BEYOND = (
    Rule("each statement is a valid trust statement", r"\.Statement: (\$|line|byte|:)"),
    Rule("each signature is one of minisign", r"\.Signatures\[\d+\]: (line|byte|:)"),
)
