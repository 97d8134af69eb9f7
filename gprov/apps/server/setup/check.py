"""``gprov server check``: everything of a data folder and its host that can be wrong before units come."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.server.setup.check_access import access_findings
from gprov.apps.server.setup.check_certificates import CertificateCheck
from gprov.apps.server.setup.check_content import ContentCheck
from gprov.apps.server.setup.check_documents import read_documents
from gprov.apps.server.setup.check_host import HostCheck
from gprov.apps.server.setup.check_network import NetworkCheck
from gprov.apps.server.setup.check_signatures import SignatureCheck
from gprov.apps.server.setup.reading import read_small
from gprov.apps.server.stated_settings import stated_settings
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.factory.password_policy import parse_policy
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.setup.finding import Finding, problem, problems_of
from gprov.domain.factory.setup.own_files import is_own, own_addresses
from gprov.ports.network import Http

_RULES = "credentials.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """``http``: asks this server and other ones. ``key_file``: of the store, "" for the usual one, ``default_key``.
    ``quick``: no hashes and no images. ``network``: look for DHCP servers and for files on other servers."""

    folder: str
    branding: Branding
    http: Http
    key_file: str = ""
    default_key: str = ""
    quick: bool = False
    network: bool = True


def findings(options: CheckOptions) -> Iterator[Finding]:
    """Nothing of the folder is changed. Raises DeviceMissing without a folder."""
    folder = options.folder
    if not os.path.isdir(folder):
        raise DeviceMissing(folder, "no such folder")
    settings, found = _settings(folder)
    yield from found
    if not found:
        yield from access_findings(folder, settings, options.key_file)
    yield from _rules(folder)
    documents = read_documents(folder, settings, options.branding)
    yield from documents.findings
    files = tuple(documents.manuf.all_files()) if documents.manuf else ()
    own = own_addresses(settings)
    content = ContentCheck(folder=folder, own=own, branding=options.branding, quick=options.quick)
    yield from content.findings(files)
    signatures = SignatureCheck(folder=folder, own=own, branding=options.branding, verifier=LibcryptoVerifier())
    yield from signatures.findings(documents.manuf.files if documents.manuf else None)
    yield from CertificateCheck(folder, settings, time.time_ns()).findings()
    yield from HostCheck(
        folder=folder, settings=settings, http=options.http, key_file=options.key_file, default_key=options.default_key
    ).findings()
    if options.network:
        clock = SystemClock()
        network = NetworkCheck(
            folder=folder, settings=settings, processes=SystemProcesses(), http=options.http, clock=clock
        )
        yield from network.findings(file for file in files if not is_own(file.url, own))


def _settings(folder: str) -> tuple[ServerSettings, list[Finding]]:
    """The default ones, if those of the file cannot be used."""
    try:
        return stated_settings(LinuxFiles(), folder), []
    except BadInput as error:
        return ServerSettings(), list(problems_of(error))
    except DeviceFault as fault:
        return ServerSettings(), [problem(fault.subject, fault.reason)]


def _rules(folder: str) -> list[Finding]:
    path = os.path.join(folder, _RULES)
    try:
        parse_policy(path, read_small(path))
    except BadInput as error:
        return list(problems_of(error))
    except DeviceMissing:
        pass  # the default ones
    except DeviceFault as fault:
        return [problem(fault.subject, fault.reason)]
    return []
