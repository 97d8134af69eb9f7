"""The settings in the data folder of a server."""

from __future__ import annotations

import os

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.server_settings import SETTINGS_FILE, ServerSettings, parse_settings
from gprov.ports.files import Files

_OTHERS = 0o077


def stated_settings(files: Files, folder: str) -> ServerSettings:
    """Those of the folder's file; defaults if there is none. Raises BadInput, DeviceFault."""
    path = os.path.join(folder, SETTINGS_FILE)
    status = files.status(path)
    if status is None:
        return ServerSettings()
    settings = parse_settings(path, files.read(path))
    if settings.store.has_password and status.mode & _OTHERS:
        message = "has a password: the file must have mode 0600, or put the password into a PGPASSFILE (~/.pgpass)"
        raise BadInput(path, [Problem("$.store.database", message)])
    return settings
