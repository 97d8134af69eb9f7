"""Steps and a stash archive for lab units: they leave files on RECOVERY that show what they ran with. Pure.

They run with the programs that a provisioning initramfs offers to a factory. The commands are of the kinds that sample
files of gprovision have: a downloaded script is made executable and run, RECOVERY is listed, values and passwords are
printed.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Mapping, Sequence

from gprov.apps.host.lab.program32 import program_32

# A kernel argument of provisioning, for the scripts to find in their environment.
STATION = "LAB_STATION"
STATION_VALUE = "bench-7"
SCRIPT = "script.sh"
PROGRAM = "program32"
STASH = "stash.txz"
# On RECOVERY.
FOLDER = "lab-steps"
STEP_FILE = f"{FOLDER}/step.txt"
STASH_FILE = f"{FOLDER}/stash.txt"
LINK_FILE = f"{FOLDER}/link.txt"
PAYLOAD = b"payload of the stash archive\n"

_SCRIPT = f"""#!/bin/sh -e
mkdir -p "$(dirname "$1")"
{{
    echo "station $STATION"
    echo "path $PATH"
    echo "serial $(dmidecode -s system-serial-number)"
    echo "certificates $(grep -c BEGIN /etc/ssl/certs/ca-certificates.crt)"
    echo "pci $(lspci -n | wc -l)"
    echo "intel $(lspci | grep -c 'Intel Corporation')"
    echo "usb $(lsusb | wc -l)"
    echo "hubs $(lsusb | grep -c 'Linux Foundation')"
    echo "disks $(lsblk --nodeps --noheadings | wc -l)"
    truncate -s 8M disk
    sgdisk --new=1:0:0 --change-name=1:lab-step disk > /dev/null
    echo "partition $(sgdisk --print disk | grep -c lab-step)"
    echo "mdadm $(mdadm --version 2>&1)"
    chmod +x {PROGRAM}
    echo "program32 $(./{PROGRAM})"
    echo "init $(sha1sum /init)"
    echo "entries $(efibootmgr | grep -c Boot)"
    hdparm -V
    nvme version
    ipmitool -V
}} > "$1"
echo "through the link" > /mnt/recov/{LINK_FILE}
""".replace("$STATION", f"${STATION}")

_LAST_COMMANDS = (
    "ls -lR {{ .RecoveryDir }}",
    "echo serial={{.Serial}}",
    "echo passwords: {{ .OSPass }} {{ .BiosPass }} {{ .IpmiPass }}",
)

_STASH_SCRIPT = f"""#!/bin/sh -e
cp payload/data.txt "$RECOVERY/{STASH_FILE}"
echo "$SERIAL ${STATION}" >> "$RECOVERY/{STASH_FILE}"
"""


def step_files() -> Mapping[str, bytes]:
    """Return the content of the files that units download, by name."""
    return {
        SCRIPT: _SCRIPT.encode(),
        PROGRAM: program_32(),
        STASH: _archive({"install.sh": _STASH_SCRIPT.encode(), "payload/data.txt": PAYLOAD}),
    }


def steps_document(
    code_name: str, files: Sequence[Mapping[str, str]], stash: Mapping[str, str]
) -> Mapping[str, object]:
    """Return the members of manufData.json. ``files``: script and program, as ``Files`` lists them; ``stash``: the
    archive, likewise."""
    commands = (
        f"chmod +x {{{{.DLDir}}}}/{SCRIPT}",
        "ls -l {{.DLDir}}",
        "echo 'unit {{.Serial}} has its files'",
        f"{{{{.DLDir}}}}/{SCRIPT} {{{{.RecoveryDir}}}}/{STEP_FILE}",
    )
    step = {
        "Name": "lab: programs for steps",
        "When": "AfterImaging",
        "Verbose": True,
        "Files": list(files),
        "Commands": [{"Command": command, "ExitStatus": "ESMustSucceed"} for command in commands],
    }
    last = {
        "Name": "lab: values and passwords",
        "When": "RunAfterPWSet",
        "Verbose": True,
        "Files": [],
        "Commands": [{"Command": command} for command in _LAST_COMMANDS],
    }
    return {"StashFiles": [stash], "CustomPlatCfgSteps": [{"DevCodeName": code_name, "ConfigSteps": [step, last]}]}


def _archive(members: Mapping[str, bytes]) -> bytes:
    """Return a .tar.xz; the same members give the same bytes. No member is executable."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return lzma.compress(raw.getvalue())
