"""Checks of manufData.json and the platform table, and of the servers that they name."""

from __future__ import annotations

import os
from dataclasses import dataclass

from gprov.apps.server.setup.reading import read_small
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.factory.netboot import MANUF_DATA
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.setup.finding import Finding, Level, problem, problems_of, warning
from gprov.domain.factory.setup.new_folder import APPLIANCE, FILES
from gprov.domain.factory.setup.own_files import is_own, own_addresses
from gprov.domain.mfg.encryption import unencrypted_urls
from gprov.domain.mfg.manuf import MAX_DOCUMENT, ManufData, parse_manuf
from gprov.domain.mfg.urls import redacted
from gprov.domain.platform.model import Platform
from gprov.domain.platform.table import parse_platform_table


@dataclass(frozen=True, slots=True)
class Documents:
    """``manuf``: None if it cannot be read."""

    manuf: ManufData | None
    findings: tuple[Finding, ...]


def read_documents(folder: str, settings: ServerSettings, branding: Branding) -> Documents:
    platforms, findings = _platforms(os.path.join(folder, APPLIANCE))
    path = os.path.join(folder, FILES, MANUF_DATA)
    try:
        manuf = parse_manuf(path, read_small(path, MAX_DOCUMENT), branding, platforms)
    except BadInput as error:
        return Documents(None, (*findings, *problems_of(error)))
    except DeviceMissing:
        missing = problem(path, "is missing: units cannot be provisioned", "docs/reference/manufdata.md describes it")
        return Documents(None, (*findings, missing))
    except DeviceFault as fault:
        return Documents(None, (*findings, problem(fault.subject, fault.reason)))
    found = [
        Finding(level=Level.WARNING, subject=path, message=each.message, remedy="", place=each.place)
        for each in manuf.warnings
    ]
    plain = unencrypted_urls(manuf) if settings.tls.encrypted else ()
    found += problems_of(BadInput(path, plain))
    return Documents(manuf, (*findings, *found, *_endpoints(path, manuf, settings)))


def _platforms(path: str) -> tuple[tuple[Platform, ...] | None, list[Finding]]:
    """None if there is no valid table."""
    try:
        return parse_platform_table(path, read_small(path)), []
    except BadInput as error:
        return None, list(problems_of(error))
    except DeviceMissing:
        reason = "is missing: code names of manufData.json are not compared with it"
        return None, [warning(path, reason, "put the table there with which the kernels were built")]
    except DeviceFault as fault:
        return None, [problem(fault.subject, fault.reason)]


def _endpoints(path: str, manuf: ManufData, settings: ServerSettings) -> list[Finding]:
    if is_own(manuf.log_endpoint, own_addresses(settings)):
        return []
    message = f"{redacted(manuf.log_endpoint)} is not an address of this server"
    remedy = "units report there; name it in [listen] names or public_url of server.toml if it is"
    return [Finding(level=Level.WARNING, subject=path, message=message, remedy=remedy, place="$.LogEndpoint")]
