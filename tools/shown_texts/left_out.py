"""Texts of the source that no unit shows, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from tools.shown_texts.kinds import Kind

# Modules, by the beginning of their names, whose sentences are no texts that a unit shows. Errors of theirs count.
MODULES: dict[str, str] = {
    "gprov.adapters.linux.dmi.inventory.LinuxInventory._cpus": "names of fields of a file of the kernel",
    "gprov.apps.mfg.hardware_main._parser": "help of a command for steps",
    "gprov.apps.mfg.qa": "content of the QA document",
    "gprov.apps.mfg.recovery_contents": "content of the QA document",
    "gprov.apps.mfg.reports": "names of documents in the log",
    "gprov.apps.update.main._parser": "help of a command",
    "gprov.apps.update.server.DdiServer._request": "header of a message to the server",
    "gprov.domain.boot.boot_menu._restore": "evidence of a restore, in the log",
    "gprov.domain.boot.boot_request.serialise_boot_request": "content of a file",
    "gprov.domain.boot.budget.serialise_budget": "comment in a file",
    "gprov.domain.boot.decide._decide_from_disks": "what is waited for, in the log",
    "gprov.domain.boot.decide._search_media": "what is waited for, in the log",
    "gprov.domain.boot.decide._wait_for_display": "what is waited for, in the log",
    "gprov.domain.boot.decide.decide": "evidence of a restore, in the log",
    "gprov.domain.boot.decisions.RestoreReason": "evidence of a restore, in the log",
    "gprov.domain.boot.entries": "boot entries",
    "gprov.domain.boot.grub.grub4dos._entry": "content of a menu file",
    "gprov.domain.boot.grub.menus._menu": "content of a menu file",
    "gprov.domain.boot.grub.menus._serial": "content of a menu file",
    "gprov.domain.boot.grub.menus.core_script": "content of a menu file",
    "gprov.domain.disk.arrayspec.ArraySpec": "content of mdadm.conf",
    "gprov.domain.display.screen": "rule for programmers",
    "gprov.domain.emergency.request.serialise_record": "comment in a file",
    "gprov.domain.erase.left_ends.serialise_ends": "comment in a file",
    "gprov.domain.erase.raid_metadata_record": "comment in a file",
    "gprov.domain.erase.record": "comment in a file",
    "gprov.domain.erase.report": "description of a file format",
    "gprov.domain.erase.report_making": "content of a report",
    "gprov.domain.factory.events": "messages between unit and server",
    "gprov.domain.factory.fields": "messages between unit and server",
    "gprov.domain.factory.messages": "messages between unit and server",
    "gprov.domain.factory.replies.CertificateReply": "description of a message",
    "gprov.domain.factory.replies.ErrorReply": "description of a message",
    "gprov.domain.factory.replies.ProblemReply": "description of a message",
    "gprov.domain.factory.replies.RunsReply": "description of a message",
    "gprov.domain.factory.replies.StoredReply": "description of a message",
    "gprov.domain.factory.replies.TimeReply": "description of a message",
    "gprov.domain.factory.requests": "messages between unit and server",
    "gprov.domain.factory.syntax": "messages between unit and server",
    "gprov.domain.formats.html_parts": "content of a page",
    "gprov.domain.formats.minisign": "content of a file",
    "gprov.domain.formats.smbios.dmidecode_fields": "names and values of SMBIOS fields",
    "gprov.domain.formats.smbios.dmidecode_keywords": "names and values of SMBIOS fields",
    "gprov.domain.formats.smbios.enum_names": "names and values of SMBIOS fields",
    "gprov.domain.formats.smbios.memory": "names and values of SMBIOS fields",
    "gprov.domain.formats.smbios.raw.raw_lines": "lines of the hardware report, in the log",
    "gprov.domain.formats.smbios.processors": "names and values of SMBIOS fields",
    "gprov.domain.mfg.qa": "content of the QA document",
    "gprov.domain.unit.credentials": "description of a message",
    "gprov.domain.unit.netconfig": "content of a file",
    "gprov.domain.unit.shell_access.serialise_shell_access": "comment in a file",
    "gprov.domain.update.state.serialise_state": "comment in a file",
}
# Single texts.
TEXTS: dict[str, str] = {
    "Exit status: 0 done, 1 negative verdict, 2 wrong usage, 3 a server, file or device failed.": "help of a command",
    "set default=0\nset timeout_style=menu\nset timeout={erase_seconds}\n{keep}{erase}": "content of a menu file",
}


def is_left_out(template: str, places: AbstractSet[str], kinds: AbstractSet[Kind]) -> bool:
    if template in TEXTS:
        return True
    return kinds <= {Kind.PART, Kind.LOG} and all(is_in(place, MODULES) for place in places)


def is_in(place: str, modules: Iterable[str]) -> bool:
    return any(re.fullmatch(rf"{re.escape(one)}(?:\..*)?", place) for one in modules)
