"""The service of the factory server for systemd, with limits and without rights that it does not need.

Directives: systemd.exec(5), systemd.resource-control(5), systemd.service(5), version 252. ``systemd-analyze security``
judges them.
"""

from __future__ import annotations

import re

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.setup.plan import FactoryPlan

CREDENTIAL = "gprov-server-key"
UNIT_NAME = "gprov-server.service"
_LOWEST_FREE_PORT = 1024
# No character that systemd splits at, expands or unquotes.
_PATH = re.compile(r"/[A-Za-z0-9_.+/@:,-]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


def unit_file(plan: FactoryPlan) -> str:
    """Raises BadInput with every path or name that cannot stand in such a file."""
    problems = [
        Problem(what, f"{path!r} must be an absolute path of letters, digits and _ . + @ : , -")
        for what, path in (("folder", plan.folder), ("program", plan.program), ("key file", plan.key_file))
        if not _PATH.fullmatch(path)
    ]
    if not _USER.fullmatch(plan.user):
        problems.append(Problem("user", f"{plan.user!r} is not a name of a system user"))
    if problems:
        raise BadInput(UNIT_NAME, problems)
    capability = "CAP_NET_BIND_SERVICE" if plan.port < _LOWEST_FREE_PORT else ""
    return "\n".join([*_start(plan), "", *_limits(), "", *_hardening(plan, capability), "", *_install(), ""])


def _start(plan: FactoryPlan) -> list[str]:
    return [
        "# Made by `gprov server init`.",
        "[Unit]",
        "Description=Factory server of gprov",
        "Documentation=man:systemd.exec(5)",
        "Wants=network-online.target",
        "After=network-online.target",
        f"RequiresMountsFor={plan.folder}",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={plan.program} server run --data {plan.folder}",
        f"User={plan.user}",
        f"Group={plan.user}",
        f"LoadCredential={CREDENTIAL}:{plan.key_file}",
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


def _hardening(plan: FactoryPlan, capability: str) -> list[str]:
    return [
        f"# It writes to its data folder only, and has no capability{f' but {capability}' if capability else ''}.",
        "UMask=0077",
        "ProtectSystem=strict",
        f"ReadWritePaths={plan.folder}",
        f"InaccessiblePaths=-{plan.folder}/ca",
        f"ProtectHome={_home(plan)}",
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


def _install() -> list[str]:
    return ["[Install]", "WantedBy=multi-user.target"]
