"""Files that the user names on the command line."""

from __future__ import annotations

import typer

from gprov.apps.host.image.regular_files import open_regular
from gprov.domain.errors import DeviceFault
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import Platform
from gprov.domain.platform.table import parse_platform_table


def read_user_file(path: str, limit: int = 16 << 20) -> bytes:
    """Whole content. Raises DeviceMissing, or DeviceFault (also for more than ``limit`` bytes)."""
    content = read_start(path, limit + 1)
    if len(content) > limit:
        raise DeviceFault(path, f"is larger than {limit >> 20} MiB")
    return content


def read_start(path: str, size: int) -> bytes:
    """At most the first ``size`` bytes. Raises DeviceMissing, DeviceFault."""
    with open_regular(path) as file:
        try:
            return file.read(size)
        except OSError as exc:
            raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc


def read_platforms(path: str | None) -> tuple[Platform, ...]:
    """Of a platform table, or of the built-in one. Raises BadInput, DeviceMissing, DeviceFault."""
    return default_table() if path is None else parse_platform_table(path, read_user_file(path))


def chosen_platform(table: tuple[Platform, ...], code_name: str | None) -> Platform:
    """The platform of that name; a table of one platform needs none. Raises BadParameter."""
    known = {platform.code_name: platform for platform in table}
    if code_name is None and len(table) == 1:
        return table[0]
    if code_name not in known:
        said = "is missing" if code_name is None else f"{code_name!r} is not in the platform table"
        raise typer.BadParameter(f"{said}; known: {', '.join(known)}", param_hint="'--platform'")
    if sum(platform.code_name == code_name for platform in table) > 1:
        text = f"{code_name!r} is the DevCodeName of several platforms: give the one that you mean a name of its own"
        raise typer.BadParameter(text, param_hint="'--platform'")
    return known[code_name]
