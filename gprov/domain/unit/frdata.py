"""``fr.data`` on RECOVERY (JSON): what provisioning, or a person, leaves for the next factory restore."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.mfg.urls import url_problem, with_scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """``preserve``: the file is not deleted after use. ``ignore_net_cfg``: saved network configuration is deleted, not
    used. ``clear_history``: the history of images begins anew. ``xlog``: URL of a factory server to log to, "" for
    none. ``boot_args``: further kernel arguments for the normal boot entry."""

    preserve: bool = False
    ignore_net_cfg: bool = False
    clear_history: bool = False
    xlog: str = ""
    boot_args: str = ""


def parse_options(what: str, data: bytes) -> RestoreOptions:
    """Raises BadInput with every problem."""
    root = read_object(what, data)
    options = RestoreOptions(
        preserve=root.boolean("Preserve"),
        ignore_net_cfg=root.boolean("IgnoreNetCfg"),
        clear_history=root.boolean("ClearHistory"),
        xlog=with_scheme(root.text("XLog")),
        boot_args=root.text("BootArgs"),
    )
    problem = url_problem(options.xlog) if options.xlog else None
    if problem:
        root.problem("XLog", problem)
    # They end up in a boot menu and in NVRAM: a line break or NUL would cut or add lines there.
    if not options.boot_args.isprintable() or not options.boot_args.isascii():
        root.problem("BootArgs", "must be printable ASCII on one line")
    return finish(what, root, options)


def serialise_options(options: RestoreOptions) -> bytes:
    """Every key, also those at their default, so that a person finds what can be changed."""
    document = {
        "Preserve": options.preserve,
        "IgnoreNetCfg": options.ignore_net_cfg,
        "ClearHistory": options.clear_history,
        "XLog": options.xlog,
        "BootArgs": options.boot_args,
    }
    return (json.dumps(document, indent=2) + "\n").encode()
