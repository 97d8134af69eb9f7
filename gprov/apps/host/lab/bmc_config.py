"""Configuration of OpenIPMI's simulator ``ipmi_sim`` for the management controller of a virtual unit. Pure.

Source: ipmi_lan(5) and ipmi_sim_cmd(5) of OpenIPMI 2.0. Debian's package has no configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gprov.domain.branding import Branding

LAN_CHANNEL = 1
BMC_MAC = f"{Branding().mac_prefix}:00:ff:01"
# What manufacturers deliver: name and password of an administrator.
DELIVERED = ("ADMIN", "ADMIN")
# As ipmitool and gprov print them.
FIRMWARE = "2.05"
ENGINE_FIRMWARE = "4.01"

_ADDRESS = "127.0.0.1"
_CONFIG, _COMMANDS, _PROGRAM = "lan.conf", "bmc.emu", "board"
# The simulator appends what is switched here to a file in its folder: "identify 255".
_SWITCHED = "switched"


@dataclass(frozen=True, slots=True)
class BmcPorts:
    """On the host's loopback device. ``machine``: TCP, for QEMU; ``network``: UDP, for IPMI over LAN."""

    machine: int
    network: int


def simulator_files(folder: str, ports: BmcPorts) -> Mapping[str, str]:
    """Texts by path. The last one is a program."""
    return {
        f"{folder}/{_CONFIG}": _config(folder, ports),
        f"{folder}/{_COMMANDS}": _commands(),
        program(folder): _board(folder),
    }


def simulator_arguments(folder: str) -> tuple[str, ...]:
    """``ipmi_sim`` without its console. Accounts are kept in the folder."""
    return ("ipmi_sim", "-n", "-c", f"{folder}/{_CONFIG}", "-f", f"{folder}/{_COMMANDS}", "-s", folder)


def program(folder: str) -> str:
    return f"{folder}/{_PROGRAM}"


def switched_file(folder: str) -> str:
    return f"{folder}/{_SWITCHED}"


def _config(folder: str, ports: BmcPorts) -> str:
    """The anonymous user is disabled, the manufacturer's administrator enabled."""
    name, password = DELIVERED
    return f"""\
name "gprov"
set_working_mc 0x20
  startlan {LAN_CHANNEL}
    addr {_ADDRESS} {ports.network}
    priv_limit admin
    allowed_auths_admin md5
    guid a123456789abcdefa123456789abcdef
    lan_config_program "{program(folder)} lan"
  endlan
  chassis_control "{program(folder)} chassis"
  serial 15 {_ADDRESS} {ports.machine} codec VM
  user 1 false "" "" user 10 none md5
  user 2 true "{name}" "{password}" admin 10 none md5
"""


def _commands() -> str:
    """A controller of IPMI 2.0 with an event log, and one with the address of Intel's Management Engine."""
    major, minor = FIRMWARE.split(".")
    engine_major, engine_minor = ENGINE_FIRMWARE.split(".")
    return f"""\
mc_setbmc 0x20
mc_add 0x20 0x20 no-device-sdrs 0x01 0x{major} 0x{minor} 0x9f 0x001bf2 0x0001
sel_enable 0x20 1000 0x0a
sel_add 0x20 0x02 0 0 0 0 0x20 0 4 0x0c 0x21 0x6f 0xa0 0xff 0xff
mc_enable 0x20
mc_add 0x2c 0x50 no-device-sdrs 0x01 0x{engine_major} 0x{engine_minor} 0x9f 0x000157 0x0b01
mc_enable 0x2c
"""


def _board(folder: str) -> str:
    """The simulator asks it for the settings of the network port, and tells it what is switched."""
    return f"""\
#!/bin/sh
# board lan|chassis get NAME...
# board lan|chassis set NAME VALUE...
shift
verb=$1
shift
if [ "$verb" != get ]; then
    [ "$verb" = set ] && echo "$@" >> {switched_file(folder)}
    exit 0
fi
for name; do
    case $name in
        mac_addr) value={BMC_MAC} ;;
        ip_addr) value={_ADDRESS} ;;
        ip_addr_src) value=static ;;
        subnet_mask) value=255.0.0.0 ;;
        *_mac_addr) value=00:00:00:00:00:00 ;;
        power) value=1 ;;
        boot) value=default ;;
        *) value=0.0.0.0 ;;
    esac
    echo "$name:$value"
done
"""
