"""Contents of the volumes of such a unit."""

from __future__ import annotations

PASSWORD = "admins-old-password"
# Passwords of BIOS setup, management controller and admin, in this order. A restore makes all of RECOVERY admin's, and
# readable by every user.
PLAIN_TEXT = f"bios-password\0ipmi-password\0{PASSWORD}".encode()
ADMIN = 1001
PRIMARY_UUID = "0b5c2f64-0b7a-4a55-9d53-1f6f4c0a9b11"
EARLIER_IMAGE = "WIDGET.LNX.SHINY.2019-05-01.3"
HISTORY = f"""{{
  "ImageResults": [
    {{
      "Image": "{EARLIER_IMAGE}",
      "ImagingAttempts": 2,
      "BootAttempts": 2,
      "Notes": [
        "2019-05-01 10:00: imaged"
      ]
    }}
  ]
}}""".encode()
# Labels of boot partitions: boot0, boot1, …
BOOT_LABEL = "boot{}"
LOADER_FILE = "grldr"
LOGS = {
    "/log/provision20190501_0950.log": b"Rebooting to factory restore...\n",
    "/log/recov20190501_1000.log": b"recovery process complete\n",
}


def options(boot_arguments: str) -> bytes:
    """``fr.data``, as provisioning leaves it for the first restore."""
    return (
        '{"Preserve":false,"IgnoreNetCfg":false,"ClearHistory":false,'
        f'"XLog":"http://10.0.2.2:65432/","BootArgs":"{boot_arguments}"}}'
    ).encode()
