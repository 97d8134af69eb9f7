"""Targets: what disks hold, and what the kernel and an image say of them and their users."""

from __future__ import annotations

from fuzz import seeds
from fuzz.harness import Target, expect
from gprov.domain.errors import GprovError
from gprov.domain.formats.accounts import PasswordHash, gid_of, ids_of, set_password_hash
from gprov.domain.formats.disk.md_superblock import parse_superblock
from gprov.domain.formats.disk.mountinfo import parse_mountinfo
from gprov.domain.formats.disk.partition_ids import read_partition_ids

_HASH = PasswordHash("$6$salt$hash")


def superblock(data: bytes) -> None:
    record = parse_superblock("/dev/sda1", data, 4096)
    if record is not None:
        expect(record.slot is None or record.slot < record.disks, "a slot that the array does not have")


def partition_table(data: bytes) -> None:
    for size in (512, 4096):
        read_partition_ids(lambda offset, count: data[offset : offset + count], len(data), size, (1, 2, 9))


def mountinfo(data: bytes) -> None:
    parse_mountinfo(data)


def accounts(data: bytes) -> None:
    """passwd, group and shadow of an image."""
    parts = (*data.split(b"\xff", 2), b"", b"")[:3]
    for read in (lambda: ids_of(parts[0], "admin"), lambda: gid_of(parts[1], "adm")):
        try:
            read()
        except GprovError:
            continue
    changed = set_password_hash(parts[2], "admin", _HASH)
    expect(set_password_hash(changed, "admin", _HASH) == changed, "a password that is set anew each time")
    before, after = parts[2].split(b"\n"), changed.split(b"\n")
    expect(sum(one != two for one, two in zip(before, after, strict=True)) <= 1, "other lines were changed")


def _mounts() -> list[bytes]:
    return [b"22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n23 22 0:5 / /mnt/a\\040b rw - tmpfs  rw\n"]


def _accounts() -> list[bytes]:
    shadow = b"root:*:19000:0:99999:7:::\nadmin:!:19000:0:99999:7:::\n"
    return [
        b"\xff".join((b"root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home:/bin/sh\n", b"adm:x:4:admin\n", shadow))
    ]


TARGETS = (
    Target("md-superblock", "md superblocks", superblock, lambda: [seeds.superblock()]),
    Target(
        "md-superblock-sealed",
        "the same, checksum right",
        superblock,
        lambda: [seeds.superblock()],
        seal=seeds.sealed_superblock,
    ),
    Target("partition-table", "GPT and MBR", partition_table, lambda: [seeds.gpt(), b"\0" * 510 + b"\x55\xaa"]),
    Target(
        "partition-table-sealed",
        "the same, checksums right",
        partition_table,
        lambda: [seeds.gpt()],
        seal=seeds.sealed_gpt,
    ),
    Target("mountinfo", "mountinfo", mountinfo, _mounts, (b" - ", b"\\040", b"8:1")),
    Target("accounts", "passwd, group, shadow", accounts, _accounts, (b"admin:", b"\xff", b"::", b"\n")),
)
