"""iPXE scripts that start machines over the network. Pure.

Two steps, so that DHCP needs one short address for every machine: the first script has iPXE ask again with the MAC and
serial numbers of its machine, the second is for that machine.

How iPXE reads a line (its src/core/exec.c): words are split at blanks, without any
quoting; a word that begins with ``#`` starts a comment; ``||``, ``&&`` and ``;`` as words end a command; then
``${name}`` in a word is replaced by a setting, again and again until none is left.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from gprov.domain.boot.args import START_ARGUMENT
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem
from gprov.domain.mfg.urls import url_problem
from gprov.domain.unit.credentials import Secret

SCRIPT = "boot.ipxe"
MANUF_DATA = "manufData.json"
# Long enough for a factory server to restart, and for a person to see the message.
RETRY_SECONDS = 30
RETRIES = 40

_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_SEPARATORS = frozenset({"||", "&&", ";"})
# What the kernel itself accepts on x86 (COMMAND_LINE_SIZE), less mfgurl and the name that iPXE puts in front.
_LONGEST_ARGUMENTS = 1500

_ASK = """\
#!ipxe
# The factory server of gprov: which machine is this?
chain --replace {base}/{script}?mac=${{netX/mac}}&serial=${{serial:uristring}}&board=${{board-serial:uristring}}
"""

_PROVISION = """\
#!ipxe
echo gprov: provisioning from {base}
:again
kernel {kernel} mfgurl={data}{arguments} && boot ||
inc failures
iseq ${{failures}} {retries} && goto given-up ||
echo gprov: {name} could not be started; trying again in {seconds} seconds
sleep {seconds}
goto again
:given-up
echo gprov: {name} could not be started; the firmware goes on
exit 1
"""

_EMBEDDED = """\
#!ipxe
echo gprov: iPXE for {base}
:again
dhcp && chain --replace {base}/{script} ||
inc failures
iseq ${{failures}} {retries} && exit 1 ||
echo gprov: {base} does not answer, or is not verified; trying again in {seconds} seconds
sleep {seconds}
goto again
"""

_LOCAL = """\
#!ipxe
echo gprov: this unit was provisioned before; it starts from its own disks
exit 1
"""


def base_problem(url: str) -> str | None:
    """What is wrong with the URL of a server, which is scheme, host and perhaps a port; None if nothing."""
    problem = url_problem(url)
    if problem:
        return problem
    parts = urlsplit(url)
    if "@" in parts.netloc:
        return "must not hold a user name"
    if parts.path not in ("", "/") or "?" in url or "#" in url:
        return "must end after host and port"
    return None


def check_arguments(what: str, text: str) -> str:
    """Kernel arguments as iPXE will pass them to the kernel, without redundant blanks. Raises BadInput with every
    problem."""
    problems = []
    if not _PRINTABLE.fullmatch(text):
        problems.append(Problem("", "must be printable ASCII on one line"))
    if len(text) > _LONGEST_ARGUMENTS:
        problems.append(Problem("", f"must have at most {_LONGEST_ARGUMENTS} characters, has {len(text)}"))
    if "${" in text:
        problems.append(Problem("", "must not hold '${': iPXE would replace it"))
    if any("  " in quoted for quoted in text.split('"')[1::2]):
        problems.append(Problem("", "must not hold several blanks in a row between quotes: iPXE makes them one"))
    problems += [
        Problem("", f"must not hold the word {word!r}: iPXE would end the command there")
        for word in text.split()
        if word in _SEPARATORS or word.startswith("#")
    ]
    if any(word.partition("=")[0].lstrip('"') == "mfgurl" for word in text.split()):
        problems.append(Problem("", "must not hold mfgurl: the server sets it"))
    if problems:
        raise BadInput(what, problems)
    return " ".join(text.split())


def asking_script(base: str) -> str:
    """For a request that does not identify its machine. ``base``: as ``base_problem`` accepts it."""
    return _ASK.format(base=base.rstrip("/"), script=SCRIPT)


def provision_script(
    base: str, arguments: str, branding: Branding, token: Secret | None = None, *, boot: str = ""
) -> str:
    """Starts the provisioning kernel, with files below ``base``/files. ``arguments``: of ``check_arguments``.
    ``token``: one-time token for this machine. ``boot``: URL of the server from which iPXE loads the kernel, "" for
    ``base``.

    A server that does not answer is asked again for some minutes, visibly; then the firmware goes on with the next
    entry of its boot order.
    """
    name = branding.provision_kernel
    words = [f"{branding.environment_prefix}{START_ARGUMENT}={token.reveal()}"] if token is not None else []
    words += [arguments] if arguments else []
    return _PROVISION.format(
        base=base.rstrip("/"),
        kernel=f"{(boot or base).rstrip('/')}/files/{quote(name)}",
        data=f"{base.rstrip('/')}/files/{MANUF_DATA}",
        arguments="".join(f" {word}" for word in words),
        name=name,
        retries=RETRIES,
        seconds=RETRY_SECONDS,
    )


def embedded_script(server: str) -> str:
    """Built into an iPXE that heeds no other script. ``server``: https URL, as ``base_problem`` accepts it."""
    return _EMBEDDED.format(base=server.rstrip("/"), script=SCRIPT, retries=RETRIES, seconds=RETRY_SECONDS)


def local_script() -> str:
    """Leaves iPXE: the firmware continues with the next entry of its boot order."""
    return _LOCAL
