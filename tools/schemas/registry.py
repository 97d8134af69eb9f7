"""All schemas, and the files of ``docs/schemas``."""

from __future__ import annotations

import json

from gprov.apps.host.initramfs.build_record_file import parse_record
from gprov.domain.branding import Branding
from gprov.domain.branding_file import parse_branding
from gprov.domain.erase.report_text import parse_report
from gprov.domain.factory.fields import Schema
from gprov.domain.factory.password_policy import parse_policy
from gprov.domain.factory.server_settings import parse_settings
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.image.imgmeta import parse_imgmeta
from gprov.domain.image.manifest import parse_manifest
from gprov.domain.mfg.config_tool import parse_change, parse_probe, parse_storage
from gprov.domain.mfg.difference import read_differences
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.mfg.specread import read_spec
from gprov.domain.platform.table import parse_platform_table
from gprov.domain.trust.chain import parse_chain
from gprov.domain.trust.statement import parse_statement
from gprov.domain.unit.restore_options import parse_options
from gprov.domain.update.config import parse_config
from tools.schemas import builds, documents, freeze, images, manuf, platforms, replies, settings, update
from tools.schemas.formats import Format, Rule


def _specification(data: bytes) -> object:
    root = read_object("x", data)
    return finish("x", root, read_spec(root, []))


_PEOPLE = "people"
# Read by gprov: the schema accepts what the reader accepts.
FORMATS = (
    Format(
        name="manufdata",
        what="`manufData.json`: files, hardware, steps and burn-in of a factory",
        written=_PEOPLE,
        page="reference/manufdata.md",
        schema=manuf.MANUF,
        parse=lambda data: parse_manuf("x", data, Branding()),
        beyond=manuf.BEYOND,
    ),
    Format(
        name="hardware",
        what="`hardware.json`: an entry of `ValidationData` alone",
        written="units, `gprov hardware dump`, people",
        page="reference/manufdata.md",
        schema=manuf.HARDWARE,
        parse=_specification,
        beyond=manuf.HARDWARE_BEYOND,
    ),
    Format(
        name="appliance",
        what="`appliance.json`: the platform table",
        written=_PEOPLE,
        page="how-to/platforms.md",
        schema=platforms.PLATFORMS,
        parse=lambda data: parse_platform_table("x", data),
        beyond=platforms.BEYOND,
    ),
    Format(
        name="branding",
        what="a branding file (also as TOML)",
        written=_PEOPLE,
        page="how-to/platforms.md",
        schema=settings.BRANDING,
        parse=lambda data: parse_branding("x", data),
        beyond=settings.BRANDING_BEYOND,
    ),
    Format(
        name="restore-options",
        what="`fr.data` and restore options on a stick",
        written="provisioning, people",
        page="how-to/emergency.md",
        schema=settings.OPTIONS,
        parse=lambda data: parse_options("x", data),
        beyond=settings.OPTIONS_BEYOND,
    ),
    Format(
        name="imgmeta",
        what="`imgmeta.json` in an image",
        written="`gprov image create`, builds of images",
        page="reference/images.md",
        schema=images.METADATA,
        parse=lambda data: parse_imgmeta("x", data),
        beyond=images.METADATA_BEYOND,
    ),
    Format(
        name="manifest",
        what="`IMAGE.upd.manifest`",
        written="`gprov image sign`",
        page="how-to/signing.md",
        schema=images.MANIFEST,
        parse=lambda data: parse_manifest("x", data),
        beyond=images.MANIFEST_BEYOND,
    ),
    Format(
        name="trust-statement",
        what="a trust statement",
        written="`gprov keys`",
        page="how-to/signing.md",
        schema=images.STATEMENT,
        parse=lambda data: parse_statement("x", data),
        beyond=images.STATEMENT_BEYOND,
    ),
    Format(
        name="trust-chain",
        what="`trust.chain`",
        written="`gprov keys join`",
        page="how-to/signing.md",
        schema=images.CHAIN,
        parse=lambda data: parse_chain("x", data),
        beyond=images.CHAIN_BEYOND,
    ),
    Format(
        name="build-record",
        what="a build record",
        written="`gprov build kernel --record`",
        page="how-to/build.md",
        schema=builds.RECORD,
        parse=lambda data: parse_record("x", data),
        beyond=builds.BEYOND,
    ),
    Format(
        name="tool-probe",
        what="reply of a configuration tool to `probe`",
        written="tools of adopters",
        page="reference/bios-tools.md",
        schema=replies.PROBE,
        parse=lambda data: parse_probe("x", data),
    ),
    Format(
        name="tool-storage",
        what="its reply to `get storage`",
        written="tools of adopters",
        page="reference/bios-tools.md",
        schema=replies.STORAGE,
        parse=lambda data: parse_storage("x", data),
    ),
    Format(
        name="tool-change",
        what="its reply to `set`, `apply` and `set-password`",
        written="tools of adopters",
        page="reference/bios-tools.md",
        schema=replies.CHANGE,
        parse=lambda data: parse_change("x", data),
    ),
    Format(
        name="differences",
        what="`differences.json` of a unit",
        written="units",
        page="reference/server.md",
        schema=documents.DIFFERENCES,
        parse=lambda data: read_differences("x", data.decode()),
    ),
)
# The same, of files that are TOML.
TOML_FORMATS = (
    Format(
        name="server-settings",
        what="`server.toml` (TOML)",
        written="`gprov server init`, people",
        page="reference/server-settings.md",
        schema=settings.SERVER,
        parse=lambda data: parse_settings("x", data),
        beyond=settings.SERVER_BEYOND,
    ),
    Format(
        name="password-rules",
        what="`credentials.toml` (TOML)",
        written=_PEOPLE,
        page="how-to/credentials.md",
        schema=settings.PASSWORDS,
        parse=lambda data: parse_policy("x", data),
        beyond=settings.PASSWORDS_BEYOND,
    ),
    Format(
        name="update",
        what="`update.toml` (TOML): updates over the air",
        written=_PEOPLE,
        page="how-to/update-over-the-air.md",
        schema=update.UPDATE,
        parse=lambda data: parse_config("x", data),
        beyond=update.BEYOND,
    ),
    Format(
        name="initramfs",
        what="`initramfs.toml` (TOML): what goes into an initramfs",
        written="people who add programs of their own",
        page="how-to/build.md",
        schema=freeze.FREEZE,
        parse=freeze.parse_flavours,
        beyond=freeze.FREEZE_BEYOND,
    ),
)
# Written by gprov for other programs: the schema accepts what is written.
WRITTEN = (
    Format(
        name="erase-report",
        what="an erase report",
        written="units, `gprov erase run`",
        page="reference/erase-certificate.md",
        schema=documents.ERASE_REPORT,
        parse=parse_report,
        beyond=(
            Rule("the form: sorted keys, two blanks a level", "is not written as documented"),
            Rule("claims that the entries do not support", "."),
        ),
    ),
    Format(
        name="burn-in",
        what="`burn-in.json` of a unit",
        written="units",
        page="how-to/burn-in.md",
        schema=documents.BURN_IN,
        parse=len,
    ),
    Format(
        name="lab-report",
        what="report of the lab",
        written="`gprov lab`",
        page="how-to/lab.md",
        schema=documents.LAB_REPORT,
        parse=len,
    ),
    Format(
        name="update-status",
        what="`gprov-update status --json`",
        written="units",
        page="how-to/update-over-the-air.md",
        schema=update.STATUS,
        parse=len,
    ),
)
ALL = (*FORMATS, *TOML_FORMATS, *WRITTEN)


def schema_text(schema: Schema) -> bytes:
    return (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()


FILES = {one.file: schema_text(one.schema) for one in ALL}
