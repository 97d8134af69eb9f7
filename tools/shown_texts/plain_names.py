"""Names of placeholders for readers, in place of those that the source has for the values."""

from __future__ import annotations

import re

# Term for readers -> names of such values in the source.
_TERMS = {
    "action": "action",
    "address": "address bad_gateways",
    "algorithm": "algorithm",
    "area": "area extent",
    "array": "array full_name self startable",
    "beginning": "beginning emergency_prefix image_prefix mac_prefix prefix",
    "bus": "bus",
    "command": "argv command redact_text",
    "description": "describe describe_device_path describe_status description normal_entry spec",
    "device": "dev device node",
    "devices": "nodes places",
    "digest": "digest have hexadecimal pinned",
    "disk": "alike disk nearest",
    "disks": "disks stale",
    "drive": "drive",
    "effect": "effect",
    "expected": "allowed exact expected fixed needed never requested required rfc3339 verdict want wanted",
    "fields": "fields",
    "file": (
        "artifact boot_kernel chain configs conflict file filename kernel key_file log_endpoint path"
        " plain_text recovery"
    ),
    "files": "libraries roots scripts",
    "folder": "accounts_folder dirname esp_label folder image_folder log_folder root sysfs",
    "format": "format format_index",
    "found": "bin_time build_text data detected found hex hidden kept measured now raw seen typed",
    "group": "gid st_gid",
    "identity": "identity pcrs uuid",
    "image": "image img_name stem",
    "interface": "interface",
    "items": (
        "abilities also alternatives fitting jobs keys keywords kinds known lan levels links marks masks"
        " members missing named names others owners recovery_kinds removal results targets texts twins values"
        " windows words"
    ),
    "key": "key key_id",
    "kind": "fakeraid_type kind magic type",
    "label": "esp label",
    "level": "level",
    "line": "line output",
    "mac": "mac",
    "mode": "mode permissions",
    "model": "cpu manufacturer model product sku",
    "name": "account attribute field first init member name printable_name sink",
    "number": (
        "alignment allocated alternative anonymous_user ata_information attempts attempts_per_start auxiliary"
        " available bad_count base block blocks boot bundles bytes came canaries cancel_seconds cap_pcr"
        " capability capacity cdb celsius channel code colno column content contents contract_version core"
        " cores count counts data_disks dictionary differences different digits disk_size done driver dropped"
        " each end entries examined failed failures fed flags floor following free gain get head header"
        " health_log_size held host identify_size idle_seconds images in_a_row index index_size inodes"
        " installed kept_images key_size labels largest last_user lba least left length limit lineno lines"
        " logical long_password longest_identify loops major maximum minimum minor minutes missed most"
        " name_bytes namespace native need nic_seconds number numbered offset os oui_nics own_sector"
        " pass_number passes password password_size path_size pcr_count percent_to_format phases planned port"
        " position progress properties qualifier ram_megs rate reached read real redirects registers reserve"
        " response rest restores right room runs scdw10 search_seconds seconds sector sector_size sectors"
        " security_version seed sequence set_tolerance_pct setting sha256_bytes short_class short_password"
        " shown silence size sizes skip sprog sstat stall_seconds standard_size start start_seconds"
        " table_sector tail target_tolerance_pct time_limit tolerance_percent total total_seconds tries"
        " unallocated uncompressed_size unconfirmed unexpected_error_pause unpacked unpadded unpadded_size"
        " uptime usable wan_index whole window workers written"
    ),
    "options": "arguments extra_arguments options",
    "parameter": "argument parameter",
    "part": "component part parts section",
    "peer": "endpoint peer",
    "phase": "phase",
    "place": "place where",
    "platform": "code_name platform",
    "platforms": "platforms",
    "policy": "policy",
    "privilege": "privilege",
    "program": "program",
    "protocol": "protocol",
    "quantity": "quantity",
    "quote": "quote",
    "reason": (
        "again cause completion_text detail drop_reason ended error errors exc excluded exit_status fault"
        " last load no_chain note notes outcome overruled phrase problem problems reason reasons refusal remedy"
        " series shell_only strerror switch_error told verify_message why without"
    ),
    "release": "release releases",
    "report": "report summary",
    "request": "request",
    "result": "after answer before result stated",
    "rule": "beginnings model_regex pattern",
    "sensor": "sense sensor",
    "serial": "serial",
    "source": "source",
    "state": "event pending state",
    "status": "status",
    "step": "step",
    "subject": "subject what",
    "table": "table",
    "target": "destination target",
    "technique": "choice technique",
    "text": "event_text text",
    "time": "seconds_left time_ns timestamp until when",
    "tool": "tool",
    "url": "url",
    "user": "st_uid uid user",
    "users": "refused users",
    "value": "achieved fallback hierarchy record record_version ref slots_text stored tag value vendor word",
    "version": "version",
}
# Behind these stands an amount.
_UNITS = re.compile(
    r" (?:bytes?|[KM]iB|MB/s|s|min|minutes|%|°C|characters|digits|sectors|disks|entries|files|names|lines|ranges"
    r"|folders|members|regions|records|streams|blocks|times|starts|restores|removable|events|of the|of \{\w+\} MiB)\b"
)
# Names of limits in the source.
_NUMBERS = re.compile(r"(?:max|min|most)_")
_REASON = "reason"
# What the source calls a text may be anything; behind a colon it is why something failed.
_TEXT = "text"
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w+)\}")


def plain(template: str) -> str:
    """The template with names for readers. Raises KeyError for a value that has none."""

    def named(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        term = "number" if _NUMBERS.match(found[1]) else TERMS[found[1]]
        if _UNITS.match(template, found.end()):
            term = "number"
        elif term == _TEXT and template[: found.start()].endswith(": "):
            term = _REASON
        return f"{{{term}}}"

    return _PLACEHOLDER.sub(named, template)


TERMS = {name: term for term, names in _TERMS.items() for name in names.split()}
