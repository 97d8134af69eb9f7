"""The kernel's mount table."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.disk.mountinfo import MountInfo, parse_mountinfo

# As a kernel 6.1 printed it; a blank, a tab and a backslash in the second target.
SAMPLE = rb"""26 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
31 26 8:17 /sub /mnt/a\040b\011c\134d rw,noexec master:1 propagate_from:2 - ext3 /dev/sdb1 ro,data=ordered
32 26 0:5 / /dev rw,nosuid - devtmpfs udev rw,size=10k
33 26 0:6 / /empty rw - tmpfs  rw
"""


def test_a_table() -> None:
    root, bind, dev, nameless = parse_mountinfo(SAMPLE)
    assert root == MountInfo(
        device=DeviceNumber(8, 2),
        root="/",
        target="/",
        kind="ext4",
        source="/dev/sda2",
        options=frozenset({"rw", "relatime", "errors=remount-ro"}),
    )
    assert (bind.device, bind.root, bind.target) == ((8, 17), "/sub", "/mnt/a b\tc\\d")
    assert {"ro", "rw", "noexec"} <= bind.options
    assert (dev.kind, dev.source) == ("devtmpfs", "udev")
    assert nameless.source == ""


def test_every_malformed_line_is_reported() -> None:
    with pytest.raises(BadInput) as caught:
        parse_mountinfo(b"one\n" + SAMPLE + b"26 1 8-2 / / rw - ext4 /dev/sda2 rw\n1 2 3:4 / / rw - ext4\n")
    assert [problem.place for problem in caught.value.problems] == ["line 1", "line 6", "line 7"]


@given(
    st.one_of(
        st.binary(),
        st.builds(lambda at, new: SAMPLE[:at] + new + SAMPLE[at:], st.integers(0, 300), st.binary(max_size=4)),
    )
)
def test_any_bytes_give_mounts_or_bad_input(text: bytes) -> None:
    with suppress(BadInput):
        parse_mountinfo(text)


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_any_name_survives(name: bytes) -> None:
    """Kernel fs/proc_namespace.c mangles blank, tab, line end, backslash and #."""
    mangled = b"".join(b"\\%03o" % byte if byte in b" \t\n\\#" else bytes([byte]) for byte in name)
    (mount,) = parse_mountinfo(b"1 2 8:1 / " + mangled + b" rw - ext4 /dev/sda1 rw")
    assert mount.target.encode("utf-8", "surrogateescape") == name
