"""Schemas of files of settings: server.toml, credentials.toml, a branding file, restore options."""

from __future__ import annotations

from dataclasses import fields

from gprov.domain.branding import Branding
from gprov.domain.factory.fields import Schema
from gprov.domain.factory.messages import members
from gprov.domain.factory.password_rule import LIMITS, CharacterClass, PasswordKind
from gprov.domain.factory.server_settings import section_types
from gprov.domain.factory.settings.kinds import Section
from gprov.domain.factory.syntax import MAX_NAME
from gprov.domain.formats.json.value import Json
from tools.schemas.formats import Rule
from tools.schemas.parts import (
    END,
    NOT_BLANK,
    document,
    flag,
    items,
    may,
    or_null,
    record,
    text,
    whole,
    word,
)

_WORDS = {
    "admin": f"^[A-Za-z_][A-Za-z0-9_.-]{{0,31}}{END}",
    "bmc_user": f"^[!-~]{{1,16}}{END}",
    "environment_prefix": f"^[A-Za-z_][A-Za-z0-9_]*{END}",
    "hostname_prefix": f"^[A-Za-z0-9][A-Za-z0-9-]*{END}",
    "mac_prefix": f"^:*[0-9A-Fa-f]{{1,2}}(:[0-9A-Fa-f]{{1,2}}){{0,5}}:*{END}",
}
_NAME = f"^(?!\\.{{1,2}}{END})(?=[^/]*\\S)[^/]+{END}"
_PATH = f"^(/(?!\\.{{1,2}}(/|{END}))[^/]+)+{END}"
_BRANDING: dict[str, tuple[Schema, str]] = {
    "image_prefix": (text(_NAME), "what names of images begin with"),
    "recovery_label": (text(_NAME, maxLength=16), "file system label of RECOVERY"),
    "primary_label": (text(_NAME, maxLength=16), "file system label of PRIMARY"),
    "esp_label": (text(_NAME, maxLength=11), "label of the EFI system partition"),
    "boot_label": (text(_NAME, maxLength=16), "label of the boot partition of BIOS units"),
    "flag_file": (text(_NAME), "file on PRIMARY that says that it was restored completely"),
    "boot_kernel": (text(_NAME), "file name of the kernel of every boot"),
    "provision_kernel": (text(_NAME), "file name of the provisioning kernel"),
    "config_folder": (text(_PATH), "folder of the system for gprov's files"),
    "environment_prefix": (text(_WORDS["environment_prefix"]), "what gprov's own kernel arguments begin with"),
    "hostname_prefix": (text(_WORDS["hostname_prefix"]), "what host names begin with"),
    "mac_prefix": (text(_WORDS["mac_prefix"]), "MAC prefix of the brand's own interfaces"),
    "emergency_prefix": (text(_NAME), "what names of emergency files begin with"),
    "log_folder": (text(_NAME), "folder of logs on RECOVERY"),
    "real_init": (text(_PATH), "program that the system starts with"),
    "admin": (text(_WORDS["admin"]), "account of the administrator"),
    "bmc_user": (text(_WORDS["bmc_user"]), "account on a management controller"),
    "normal_entry": (text(NOT_BLANK), "boot entry of the system"),
    "restore_entry": (text(NOT_BLANK), "boot entry of a restore"),
    "erase_entry": (text(NOT_BLANK), "boot entry of an erase"),
}


def _branding() -> Schema:
    """Unknown keys are refused, and no key may be null: its text is asked for."""
    properties: dict[str, Json] = {
        field.name: {
            "description": _BRANDING[field.name][1],
            "default": getattr(Branding(), field.name),
            **_BRANDING[field.name][0],
        }
        for field in fields(Branding)
    }
    nullable: dict[str, Json] = {
        name: or_null(schema) if isinstance(schema, dict) else schema for name, schema in properties.items()
    }
    shut: dict[str, Json] = {"patternProperties": {"^_": {}}, "additionalProperties": False}
    return {"type": "object", "properties": nullable, **shut}


BRANDING = document(
    "Branding",
    "Names that an adopter changes; all have defaults. The file is JSON, or TOML with the same keys."
    " docs/how-to/platforms.md",
    _branding(),
)
BRANDING_BEYOND = (
    Rule("texts have no unprintable characters, and no blanks around them", r"has blanks around it or unprintable"),
    Rule("labels have at most 16 bytes, that of the ESP 11", r"must have at most \d+ bytes"),
)

_RULE = {
    kind: record(
        (
            may("length", whole(1, LIMITS[kind].longest), "characters"),
            may("alphabet", text("^[!-~]*$(?!\\n)"), "characters that it is made of"),
            may(
                "require",
                items(word(each.value for each in CharacterClass), uniqueItems=True),
                "at least one character of each",
            ),
        ),
        closed=True,
    )
    for kind in PasswordKind
}
_KINDS = tuple(may(kind.value, _RULE[kind], f"passwords of the kind {kind.value}") for kind in PasswordKind)
_CODE_NAME = f"^(?!_)(?=[\\s\\S]*\\S)[\\s\\S]{{1,{MAX_NAME}}}{END}"
PASSWORDS = document(
    "credentials.toml",
    "Rules for the passwords that the factory server makes; the file is TOML. docs/how-to/credentials.md",
    record(
        (
            *_KINDS,
            may(
                "platform",
                {
                    "type": "object",
                    "patternProperties": {"^_": {}, _CODE_NAME: record(_KINDS, closed=True)},
                    "additionalProperties": False,
                },
                "rules of units with this code name; what is not stated is as above",
            ),
        ),
        closed=True,
    ),
)
PASSWORDS_BEYOND = (
    Rule("no character of alphabet is there twice", r"alphabet: has characters twice"),
    Rule("the alphabet has characters of each required class, not too rare", r"require: has"),
    Rule("a password must be strong: os and ipmi 64 bits, bios 36", r"length: gives [\d.]+ bits"),
)

OPTIONS = document(
    "Restore options",
    "fr.data on RECOVERY, or an emergency file of at most 1 MiB. docs/how-to/emergency.md",
    record(
        (
            may("Preserve", flag(), "keep the file after its use; no effect on a stick"),
            may("IgnoreNetCfg", flag(), "delete the saved network configuration without using it"),
            may("ClearHistory", flag(), "reset the image history"),
            may("XLog", text(), "factory server for the log: URL, or HOST:PORT"),
            may("BootArgs", text(f"^[ -~]*{END}"), "further kernel arguments for the boot entries"),
        )
    ),
)
OPTIONS_BEYOND = (Rule("XLog is a URL, or HOST:PORT", r"XLog: (is|must begin|has)"),)


def _section(kind: type[Section]) -> Schema:
    properties: dict[str, Json] = {
        member.name: {"description": member.description, **member.kind.schema()} for member in members(kind)
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


SERVER = document(
    "server.toml",
    "Settings of the factory server; the file is TOML. docs/reference/server-settings.md",
    {
        "type": "object",
        "properties": {name: _section(kind) for name, kind in section_types().items()},
        "additionalProperties": False,
    },
)
SERVER_BEYOND = (
    Rule(
        "host names, URLs, kernel arguments and names of databases have their own syntax",
        r"is neither a host name|is no URL|must begin with postgresql|must not have a password|public_url: |"
        r"boot_arguments: ",
    ),
    Rule("texts are one line without control characters", r"must be one line without control characters"),
    Rule("settings of TLS go together: certificate and key with files", r"\$\.tls\.\w+: (is missing|belongs to|\")"),
)
