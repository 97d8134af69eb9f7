"""The report of an erase: kept on RECOVERY, and registered with the factory server, which issues the certificate."""

from __future__ import annotations

from gprov.apps.erase.ports import ErasePorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.network.connect import connect_any
from gprov.apps.unit.network.server_trust import read_trust, trust_log_server
from gprov.apps.unit.recovery.records import read_options
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.erase.report import OverallVerdict, UnitIdentity
from gprov.domain.erase.report_making import ErasureFacts, make_report
from gprov.domain.erase.report_text import report_bytes
from gprov.domain.erase.signed import SIGNATURE_SUFFIX
from gprov.domain.errors import GprovError
from gprov.domain.mfg.urls import with_scheme
from gprov.domain.platform.identify import Unit
from gprov.domain.recovery_files import CERTIFICATE_SUFFIX, ERASE_REPORT


def unit_identity(unit: Unit | None) -> UnitIdentity:
    """Empty for a unit that is not identified."""
    if unit is None:
        return UnitIdentity("", "", "", "")
    return UnitIdentity(unit.serial, unit.platform.code_name, unit.manufacturer, unit.product)


def report_erase(ports: ErasePorts, facts: ErasureFacts, context: UnitContext) -> OverallVerdict:
    """Write the report into the log folder of RECOVERY and register it, if a server is known. Neither failure changes
    the result of the erase: each is reported, and the report can be registered later. Returns its verdict."""
    report = make_report(facts)
    content = report_bytes(report)
    path = f"{context.log_folder}/{ERASE_REPORT}"
    files, bus = ports.flow.volumes.files, context.bus
    try:
        files.remove(path + CERTIFICATE_SUFFIX)
        files.remove(path + CERTIFICATE_SUFFIX + SIGNATURE_SUFFIX)
        files.replace(path, content)
        bus.log(f"the report of the erase is in {path}")
    except GprovError as error:
        bus.error(f"the report of the erase cannot be kept on RECOVERY: {error}")
    endpoint = context.arguments.xlog or read_options(files, context).xlog
    if not endpoint:
        bus.log("no factory server is known (XLOG): the report of the erase is not registered")
        return report.verdict
    try:
        with unexpected_errors_translated():
            connect_any(ports.flow.network, ports.flow.volumes.clock, context)
            url = with_scheme(endpoint)
            trust_log_server(ports.flow.trust, url, read_trust(files, context), context)
            signed = ports.registry_at(url).register(content)
            files.replace(path + CERTIFICATE_SUFFIX, signed.certificate)
            files.replace(path + CERTIFICATE_SUFFIX + SIGNATURE_SUFFIX, signed.signature)
            bus.message("The factory server has issued the certificate of the erase")
    except GprovError as error:
        bus.warning(f"no certificate of the erase: {error}; register {path} with the factory server later")
    return report.verdict
