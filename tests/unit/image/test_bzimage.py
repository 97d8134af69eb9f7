"""Kernel headers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.archive.artifacts import build_kernel
from gprov.domain.errors import BadInput, GprovError
from gprov.domain.formats.bzimage import Comparison, KernelFacts, check_length, newest, parse_bzimage


def kernel(version: str | bytes, *, at: int = 0x3000, sectors: int = 0x1F) -> bytes:
    """The real-mode part of a kernel that calls itself ``version``."""
    head = bytearray(64 << 10)
    head[0x1F1] = sectors
    head[0x1FE:0x200] = b"\x55\xaa"
    head[0x202:0x206] = b"HdrS"
    head[0x206:0x208] = b"\x0f\x02"
    head[0x20E:0x210] = (at - 0x200).to_bytes(2, "little")
    text = version.encode() if isinstance(version, str) else version
    head[at : at + len(text) + 1] = text + b"\0"
    return bytes(head)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            "6.1.192-gprov (gprov@gprov) #1 SMP Thu Jan  1 00:00:00 UTC 1970",
            KernelFacts("6.1.192-gprov", "gprov@gprov", "#1 SMP Thu Jan  1 00:00:00 UTC 1970", 1),
        ),
        (
            "6.8.0-45-generic (buildd@lcy02-amd64-115) #45-Ubuntu SMP PREEMPT_DYNAMIC Fri Aug 30 12:02:04 UTC 2024",
            KernelFacts(
                "6.8.0-45-generic",
                "buildd@lcy02-amd64-115",
                "#45-Ubuntu SMP PREEMPT_DYNAMIC Fri Aug 30 12:02:04 UTC 2024",
                45,
            ),
        ),
        (
            "6.1.0-18-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)",
            KernelFacts(
                "6.1.0-18-amd64",
                "debian-kernel@lists.debian.org",
                "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)",
                1,
            ),
        ),
        (
            "2.6.24.111 (bluebat@linux-vm-os64.site) #606 Mon Apr 14 00:06:11 CEST 2014",
            KernelFacts("2.6.24.111", "bluebat@linux-vm-os64.site", "#606 Mon Apr 14 00:06:11 CEST 2014", 606),
        ),
        ("6.9 (me@here) #12 SMP", KernelFacts("6.9", "me@here", "#12 SMP", 12)),
        ("6.9-rc1 #12", KernelFacts("6.9-rc1", "", "#12", 12)),
        ("6.9 (me@here)", KernelFacts("6.9", "me@here", "", None)),
        ("6.9", KernelFacts("6.9", "", "", None)),
        ("6.9 (a) #x1", KernelFacts("6.9", "a", "#x1", None)),
        ("6.9 (a) #\u0661 SMP", KernelFacts("6.9", "a", "#\u0661 SMP", None)),
    ],
)
def test_version_strings(text: str, facts: KernelFacts) -> None:
    assert parse_bzimage(kernel(text)) == facts


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"", "0 bytes long"),
        (b"MZ" + bytes(0x20D), "shorter than"),
        (bytes(4096), "0xAA55"),
        (kernel("6.9").replace(b"HdrS", b"hdrs"), "HdrS"),
        (kernel("6.9")[:0x20E] + bytes(0x8000), "no version string"),
        (kernel("6.9", at=0x3000, sectors=4), "outside"),
        (kernel("6.9", at=0x3000)[:0x2000], "outside"),
        (kernel("6" * 600), "does not end"),
        (kernel("6.9")[:0x3002], "does not end"),
        (kernel(""), "cannot be understood"),
        (kernel("(builder) #7"), "cannot be understood"),
        (kernel("#7 SMP"), "cannot be understood"),
    ],
)
def test_a_file_that_is_not_a_kernel_is_refused(head: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse_bzimage(head)


def test_both_missing_signatures_are_reported() -> None:
    with pytest.raises(BadInput) as caught:
        parse_bzimage(bytes(4096))
    assert len(caught.value.problems) == 2


def test_newest_over_all_pairs() -> None:
    """An unreadable kernel loses to a readable one, one without a number to one with it."""
    ascending = [None, KernelFacts("6.9", "", "", None), *(KernelFacts("6.1", "", f"#{n}", n) for n in (1, 9, 10))]
    for (i, a), (j, b) in itertools.product(enumerate(ascending), repeat=2):
        if i == j and i < 2:
            with pytest.raises(BadInput):
                newest(a, b)
        else:
            wanted = Comparison.SAME if i == j else Comparison.FIRST if i > j else Comparison.SECOND
            assert newest(a, b) is wanted


@given(st.binary(max_size=700), st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(max_size=100))
def test_arbitrary_headers(data: bytes, pointer: int, sectors: int, text: bytes) -> None:
    """Never anything but facts or BadInput, and nothing is read outside of the bytes given."""
    head = bytearray(kernel(text.replace(b"\0", b"")))
    head[0x20E:0x210] = pointer.to_bytes(2, "little")
    head[0x1F1] = sectors
    for candidate in (data, bytes(head), bytes(head[: len(data) * 90])):
        try:
            facts = parse_bzimage(candidate)
        except GprovError:
            continue
        assert facts.release


def test_a_kernel_whose_end_is_missing_is_refused() -> None:
    """FAT may leave the front of a file that was being replaced; its header alone looks as good as ever."""
    whole = build_kernel(7)
    check_length(whole, len(whole))
    for size in (0, len(whole) // 2, len(whole) - 1):
        with pytest.raises(BadInput, match="cut short"):
            check_length(whole, size)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            "4.19.16-norm_boot (user@host) #300 SMP Fri Jan 25 16:32:19 UTC 2019",
            KernelFacts("4.19.16-norm_boot", "user@host", "#300 SMP Fri Jan 25 16:32:19 UTC 2019", 300),
        ),
        (
            "2.6.24.111 #606 Mon Apr 14 00:06:11 CEST 2014",
            KernelFacts("2.6.24.111", "", "#606 Mon Apr 14 00:06:11 CEST 2014", 606),
        ),
        (
            "4.11.4-norm_boot (user@host) #57 SMP Fri Sep 8 14:47:37 UTC 2117",
            KernelFacts("4.11.4-norm_boot", "user@host", "#57 SMP Fri Sep 8 14:47:37 UTC 2117", 57),
        ),
        (
            "4.5.6-gentoo-r1 (root@mark-gentoo) #2 SMP Thu Sep 14 16:30:26 EDT 2017",
            KernelFacts("4.5.6-gentoo-r1", "root@mark-gentoo", "#2 SMP Thu Sep 14 16:30:26 EDT 2017", 2),
        ),
        ("4 #99 blah", KernelFacts("4", "", "#99 blah", 99)),
    ],
)
def test_kernels_in_the_field(text: str, facts: KernelFacts) -> None:
    """Values of the earlier Go system's tests (pkg/fileutil/kver, pkg/recovery/disk)."""
    assert parse_bzimage(kernel(text)) == facts


def test_a_kernel_among_other_bytes() -> None:
    """The sample of the earlier Go system: version string far behind the header, texts before and after it."""
    version = "4.19.16-norm_boot (user@host) #300 SMP Fri Jan 25 16:32:19 UTC 2019"
    head = bytearray(b"\xa5" * (64 << 10))
    head[510:512], head[514:518], head[526:528] = b"\x55\xaa", b"HdrS", b"\x58\x30"
    text = f"string starting.. {version}\0 end of str".encode()
    head[12870 : 12870 + len(text)] = text
    assert parse_bzimage(bytes(head)).build_number == 300


@pytest.mark.parametrize(("text", "build"), [("4 # blah", None), ("4 #9a blah", 9)])
def test_odd_versions(text: str, build: int | None) -> None:
    """The earlier system refused the last one too. It is read here, as distributions append texts ("#45-Ubuntu")."""
    assert parse_bzimage(kernel(text)).build_number == build


@pytest.mark.parametrize("text", ["4 99 blah", "#4 #99 blah"])
def test_texts_that_are_no_version(text: str) -> None:
    """Values of the earlier Go system's tests (pkg/recovery/disk)."""
    with pytest.raises(BadInput, match="cannot be understood"):
        parse_bzimage(kernel(text))
