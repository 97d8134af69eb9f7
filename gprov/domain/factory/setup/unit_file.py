"""The service of the factory server for systemd, with limits and without rights that it does not need.

Directives: systemd.exec(5), systemd.resource-control(5), systemd.service(5), version 252. ``systemd-analyze security``
judges them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.setup.plan import FactoryPlan

CREDENTIAL = "gprov-server-key"
UNIT_NAME = "gprov-server.service"
TEMPLATE_NAME = "gprov-server@.service"
# The account that runs the server, unless another one is named.
USER = "gprov"
_LOWEST_FREE_PORT = 1024
# No character that systemd splits at, expands or unquotes.
_PATH = re.compile(r"/[A-Za-z0-9_.+/@:,-]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """``documentation``: of the unit. ``folder``: the data folder, or a specifier of systemd.unit(5). ``home``: value
    of ProtectHome=. ``capability``: the only one that the server has, or ""."""

    maker: str
    documentation: str
    folder: str
    program: str
    user: str
    key_file: str
    home: str
    capability: str = ""

    def text(self) -> str:
        parts = (_start(self), _limits(), _hardening(self), ["[Install]", "WantedBy=multi-user.target"])
        return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def unit_file(plan: FactoryPlan) -> str:
    """Return the unit for one data folder. Raises BadInput with every path or name that cannot stand in it."""
    problems = [
        Problem(what, f"{path!r} must be an absolute path of letters, digits and _ . + @ : , -")
        for what, path in (("folder", plan.folder), ("program", plan.program), ("key file", plan.key_file))
        if not _PATH.fullmatch(path)
    ]
    if not _USER.fullmatch(plan.user):
        problems.append(Problem("user", f"{plan.user!r} is not a name of a system user"))
    if problems:
        raise BadInput(UNIT_NAME, problems)
    service = _Service(
        maker="`gprov server init`",
        documentation="man:systemd.exec(5)",
        folder=plan.folder,
        program=plan.program,
        user=plan.user,
        key_file=plan.key_file,
        home=_home(plan),
        capability="CAP_NET_BIND_SERVICE" if plan.port < _LOWEST_FREE_PORT else "",
    )
    return service.text()


def template_unit(program: str, key_file: str) -> str:
    """Return the unit of a package, ``TEMPLATE_NAME``. The instance names the data folder, as ``systemd-escape --path``
    writes it. The account has the usual name, and the folder is in no home."""
    service = _Service(
        maker="the package of gprov",
        documentation="man:gprov-server(1)",
        folder="%f",
        program=program,
        user=USER,
        key_file=key_file,
        home="yes",
    )
    return service.text()


def _start(service: _Service) -> list[str]:
    return [
        f"# Made by {service.maker}.",
        "[Unit]",
        "Description=Factory server of gprov",
        f"Documentation={service.documentation}",
        "Wants=network-online.target",
        "After=network-online.target",
        f"RequiresMountsFor={service.folder}",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={service.program} server run --data {service.folder}",
        f"User={service.user}",
        f"Group={service.user}",
        f"LoadCredential={CREDENTIAL}:{service.key_file}",
        "Restart=on-failure",
        "RestartSec=2",
        "TimeoutStopSec=20",
    ]


def _limits() -> list[str]:
    return [
        "# Limits: of the memory of the service, of connections and files, of threads, no core files.",
        "MemoryHigh=1536M",
        "MemoryMax=2G",
        "LimitNOFILE=65536",
        "TasksMax=512",
        "LimitCORE=0",
    ]


def _hardening(service: _Service) -> list[str]:
    capability = service.capability
    return [
        f"# It writes to its data folder only, and has no capability{f' but {capability}' if capability else ''}.",
        "UMask=0077",
        "ProtectSystem=strict",
        f"ReadWritePaths={service.folder}",
        f"InaccessiblePaths=-{service.folder}/ca",
        f"ProtectHome={service.home}",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        f"PrivateUsers={'no' if capability else 'yes'}",
        f"CapabilityBoundingSet={capability}",
        f"AmbientCapabilities={capability}",
        "NoNewPrivileges=yes",
        "ProtectClock=yes",
        "ProtectControlGroups=yes",
        "ProtectHostname=yes",
        "ProtectKernelLogs=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelTunables=yes",
        "ProtectProc=invisible",
        "ProcSubset=pid",
        "KeyringMode=private",
        "LockPersonality=yes",
        "MemoryDenyWriteExecute=yes",
        "RemoveIPC=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources",
        "SystemCallFilter=@chown",
        "SystemCallErrorNumber=EPERM",
    ]


def _home(plan: FactoryPlan) -> str:
    """Home folders are hidden, unless the program or the data are in one."""
    homes = ("/home/", "/root/", "/run/user/")
    return "read-only" if any(path.startswith(homes) for path in (plan.folder, plan.program)) else "yes"
