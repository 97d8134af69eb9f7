"""Schema of build records."""

from __future__ import annotations

from gprov.apps.host.initramfs import build_record_file
from gprov.apps.host.initramfs.build_number import MAX_BUILD_NUMBER
from gprov.apps.host.initramfs.builds import BEST_LEVEL
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.factory.fields import Schema
from gprov.domain.image.manifest import MAX_SECURITY_VERSION
from gprov.domain.trust.policy import TrustPolicy
from tools.schemas.formats import Rule
from tools.schemas.parts import document, filled, flag, items, may, need, record, text, whole, word

_FORMAT = whole(build_record_file.FORMAT, build_record_file.FORMAT)


def _rows(name: str, value: str) -> Schema:
    row = record((need(name, filled(), "stands once"), need(value, filled(), "as recorded")))
    return items(row, maxItems=build_record_file.MAX_ROWS)


def _names() -> Schema:
    return items(text(), maxItems=build_record_file.MAX_NAMES)


RECORD = document(
    "Build record",
    "All that a kernel was made of, and its digest. docs/how-to/build.md",
    record(
        (
            need("Format", _FORMAT, "of this document"),
            need("Kind", word([build_record_file.KIND]), "tells this document from others"),
            need(
                "Gprov",
                record(
                    (
                        need("Version", filled(), "of gprov"),
                        may("Commit", text(), "of its checkout"),
                        need("Builder", filled(), "SHA-256 of the programs that build"),
                    )
                ),
                "what built it",
            ),
            need(
                "Options",
                record(
                    (
                        need("Flavor", word(Flavor), "--flavor"),
                        need("BuildNumber", whole(0, MAX_BUILD_NUMBER), "BUILD_NUMBER"),
                        need("Level", whole(1, BEST_LEVEL), "--level"),
                        need("Fragments", _names(), "--fragment; of a file the last part of its path"),
                        may("Modules", flag(), "--modules"),
                        need("Firmware", _names(), "--firmware; of a folder the last part of its path"),
                        may("TrustPolicy", word(TrustPolicy), "--trust-policy"),
                        need("SecurityVersion", whole(0, MAX_SECURITY_VERSION), "--security-version"),
                    )
                ),
                "of the command",
            ),
            need("Environment", _rows("Name", "Value"), "what the compilation is told of user, host and time"),
            need("Configuration", filled(), "SHA-256 of the settings of the kernel"),
            need("Source", filled(), "SHA-256 of the archive of its source"),
            need("Toolchain", _rows("Name", "Version"), "Debian packages that compile"),
            need("Packages", _rows("Name", "Version"), "Debian packages with files in the initramfs"),
            need("PythonPackages", _rows("Name", "Version"), "Python packages in the initramfs"),
            need("Initramfs", _rows("Path", "Content"), "type and permissions, digest, target or device number"),
            may(
                "Archive",
                record(
                    (
                        may("Date", text(), "of Debian's archive at the last update of its lists"),
                        may("Lacks", _names(), "packages whose versions it does not have"),
                    )
                ),
                "where the Debian packages are",
            ),
            need(
                "Result",
                record(
                    (
                        need("Sha256", filled(), "of the kernel, before it is signed"),
                        need("Size", whole(1), "bytes of the kernel"),
                        need("Initramfs", filled(), "SHA-256 of the compressed initramfs"),
                        may("Modules", text(), "SHA-256 over the modules"),
                    )
                ),
                "what was built",
            ),
        )
    ),
)
BEYOND = (Rule("names and paths of one list differ", r"stands twice: "),)
