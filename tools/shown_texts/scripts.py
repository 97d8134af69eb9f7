"""Texts of the tools in an image (``gprov/apps/host/image/tools``): shell scripts, which are read line by line.

A text is what a function of messages gets in quotes (``fail "…"``), or a sentence that ``echo`` prints.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.shown_texts.kinds import Kind
from tools.shown_texts.wording import is_prose

FOLDER = "gprov/apps/host/image/tools"
# Functions of messages (lib/common.sh, lib/request.sh, lib/json.awk), and echo.
_KINDS = {
    "fail": Kind.ERROR,
    "refuse": Kind.ERROR,
    "usage": Kind.ERROR,
    "warn": Kind.WARNING,
    "ask": Kind.QUESTION,
    "echo": Kind.MESSAGE,
}
_FUNCTION = re.compile(r"(?:function )?(\w+)\((?:\w+)?\) \{")
_SHOWN = re.compile(rf"(?:^|[\s;&|(){{}}])({'|'.join(_KINDS)})[ (]\"((?:[^\"\\$]|\\.|\$\([^)]*\)|\$)*)\"")
_PRINTED = re.compile(r"\bprint (\".*\w) > \"/dev/stderr\"")
_VALUE = re.compile(r"\$\(\([^)]*\)\)|\$\{(\w+)[^}]*\}|\$(\w+|[*#])")
_TOOL = re.compile(r"(?:gprov-[a-z-]+|\{tool\}): ")
# What the values of the scripts are called for readers: by the variable, or by function and parameter.
NAMES = {
    **dict.fromkeys(("archive", "baseline", "facts", "file", "fstab", "kept", "options", "request_file"), "file"),
    **dict.fromkeys(("config", "folder", "recovery", "smbios", "source", "variables"), "folder"),
    **dict.fromkeys(("label", "recovery_label"), "label"),
    "1": "text",
    "at": "number",
    "started": "number",
    "code": "status",
    "problem": "reason",
    "what": "reason",
    "given": "text",
    "seconds": "text",
    "value": "text",
    "*": "values",
    "most": "number",
    "longest": "number",
    "largest": "number",
    "height": "number",
    "sum": "number",
    "prefixes": "prefix",
    "preferred": "image",
    "device": "device",
    "key": "key",
    "log": "folder",
    "mac": "mac",
    "member": "file",
    "serial": "serial",
    "tool": "tool",
    "changes": "text",
    "text": "number",
    "need.1": "program",
    "need.2": "package",
    "put.1": "text",
    "put.2": "file",
    "extract.1": "file",
    "read_kernel.1": "file",
    "stage.1": "file",
    "set_alias.1": "port",
    "set_channels.1": "port",
    "set_rss.1": "port",
    "print_key.1": "key",
}


@dataclass(frozen=True)
class ScriptText:
    template: str
    kind: Kind


def script_texts(root: Path) -> dict[str, set[Kind]]:
    """Templates and their kinds."""
    found: dict[str, set[Kind]] = defaultdict(set)
    for folder in ("sbin", "lib"):
        for path in sorted((root / FOLDER / folder).iterdir()):
            for text in texts_of(path.read_text()):
                found[text.template].add(text.kind)
    return found


def texts_of(script: str) -> Iterator[ScriptText]:
    """Texts of a script, without the name of the tool in front. Raises KeyError for a value without a name."""
    function = ""
    for line in script.replace("\\\n", " ").splitlines():
        code = line.lstrip()
        if code.startswith("#"):
            continue
        begun = _FUNCTION.match(line)
        function = begun[1] if begun else "" if line.startswith("}") else function
        for name, text in _SHOWN.findall(code):
            if _speaks(text) if name == "echo" else re.search("[a-z]", _VALUE.sub("", text)):
                yield ScriptText(_TOOL.sub("", _template(text, function), count=1), _KINDS[name])
        for printed in _PRINTED.findall(code):
            parts = re.findall(r"\"([^\"]*)\"|(\w+)", printed)
            yield ScriptText("".join(text or f"{{{NAMES[value]}}}" for text, value in parts), Kind.ERROR)


def _speaks(text: str) -> bool:
    """Is it no value for another command, but a sentence?"""
    return text.startswith("$tool: ") or is_prose(_VALUE.sub("{}", text))


def _template(text: str, function: str) -> str:
    """Text in double quotes of a shell, with placeholders for its values."""

    def named(value: re.Match[str]) -> str:
        variable = value[1] or value[2] or "sum"
        return f"{{{NAMES.get(f'{function}.{variable}') or NAMES[variable]}}}"

    return _VALUE.sub(named, text).strip()
