"""``fr.data`` on RECOVERY (JSON): restore options, written by provisioning or by hand for the next restore."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.mfg.urls import url_problem, with_scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """``preserve``: keep the file after use. ``ignore_net_cfg``: delete the saved network configuration without using
    it. ``clear_history``: reset the image history. ``xlog``: URL of a factory server for the log, "" for none.
    ``boot_args``: further kernel arguments for the boot entries."""

    preserve: bool = False
    ignore_net_cfg: bool = False
    clear_history: bool = False
    xlog: str = ""
    boot_args: str = ""


def parse_options(source: str, data: bytes) -> RestoreOptions:
    """``source`` names the file. Raises BadInput with all problems."""
    root = read_object(source, data)
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
    # Written to a boot menu and to NVRAM: a line break or NUL would cut or add lines there.
    if not options.boot_args.isprintable() or not options.boot_args.isascii():
        root.problem("BootArgs", "must be printable ASCII on one line")
    return finish(source, root, options)


def serialise_options(options: RestoreOptions) -> bytes:
    """JSON with all keys, including those with default values, for editing by hand."""
    document = {
        "Preserve": options.preserve,
        "IgnoreNetCfg": options.ignore_net_cfg,
        "ClearHistory": options.clear_history,
        "XLog": options.xlog,
        "BootArgs": options.boot_args,
    }
    return (json.dumps(document, indent=2) + "\n").encode()
