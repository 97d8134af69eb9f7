"""The agent's settings: configuration, token, and what the unit is."""

from __future__ import annotations

from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import Identity
from gprov.domain.errors import BadInput, DeviceMissing, Problem
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.unit.credentials import Secret
from gprov.domain.update.config import MAX_CONFIG, TokenFile, UpdateConfig, parse_config
from gprov.ports.files import Files

_MAX_TOKEN = 4096  # bytes
_MAX_FACTS = 1 << 20
_OTHERS = 0o077
_WRITERS = 0o022


def read_config(files: Files, paths: UpdatePaths) -> UpdateConfig:
    """Of RECOVERY, or else of the image. Raises BadInput with every problem, DeviceMissing if there is none,
    DeviceFault."""
    for path in paths.configs:
        content = read_regular(files, path, MAX_CONFIG)
        if content is not None:
            if path == paths.configs[0]:  # folders of RECOVERY may belong to another user than root
                _refuse_others(files, path, _WRITERS, "chmod go-w")
            return parse_config(path, content)
    raise DeviceMissing(paths.configs[1], "does not exist, and RECOVERY has none: the unit has no update server")


def read_identity(files: Files, paths: UpdatePaths, config: UpdateConfig) -> Identity:
    """Raises BadInput, DeviceFault."""
    facts = read_object(paths.facts, files.read(paths.facts, _MAX_FACTS))
    serial, code_name = facts.text("Serial", required=True), facts.text("DevCodeName")
    finish(paths.facts, facts, None)
    return Identity(
        serial=serial,
        code_name=code_name,
        controller=config.controller_id or serial,
        token=_token(files, config.token, paths) if config.token is not None else None,
    )


def _token(files: Files, token: TokenFile, paths: UpdatePaths) -> Secret:
    path = f"{paths.kernel}{token.path}"
    _refuse_others(files, path, _OTHERS, "chmod 600")
    text = files.read(path, _MAX_TOKEN).decode("ascii", "replace").strip()
    if not text or not text.isprintable() or " " in text or "\ufffd" in text:
        raise BadInput(path, [Problem("", "must hold one token, without blanks")])
    return Secret(f"{token.kind.value} {text}")


def _refuse_others(files: Files, path: str, bits: int, command: str) -> None:
    """The configuration says where the token goes: who may write it is root. Raises BadInput."""
    status = files.status(path)
    if status is not None and (status.mode & bits or status.uid != 0):
        found = f"has mode {status.mode:04o} and owner {status.uid}"
        raise BadInput(path, [Problem("", f"must be root's alone, {found}: {command}, chown root")])
