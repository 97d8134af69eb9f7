"""Valid inputs to start from, made with tarfile, lzma and, by the specifications, struct."""

from __future__ import annotations

import io
import json
import lzma
import struct
import tarfile
import zlib
from collections.abc import Mapping

MAC = "56:78:90:00:00:01"


def tar(members: Mapping[str, bytes], kind: int = tarfile.GNU_FORMAT) -> bytes:
    """Return an archive of files by name. pax archives have fractional times, which need extended headers."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=kind) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mtime = 1.5 if kind == tarfile.PAX_FORMAT else 1
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def root_tar(kind: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=kind) as archive:
        for name, what, link, content in (
            ("./", tarfile.DIRTYPE, "", b""),
            ("./etc/provisioning/imgmeta.json", tarfile.REGTYPE, "", b'{"BinTime": "2402290107"}'),
            ("./etc/passwd", tarfile.REGTYPE, "", b"root:x:0:0::/root:/bin/sh\n"),
            ("./usr/" + "long/" * 30 + "name", tarfile.REGTYPE, "", b"x" * 600),
            ("./lib", tarfile.SYMTYPE, "usr/lib", b""),
            ("./absolute", tarfile.SYMTYPE, "/" + "far/" * 40, b""),
            ("./boot/vmlinuz", tarfile.REGTYPE, "", b"kernel"),
            ("./boot/norm_boot", tarfile.LNKTYPE, "./boot/vmlinuz", b""),
            ("./dev/null", tarfile.CHRTYPE, "", b""),
            ("./dev/initctl", tarfile.FIFOTYPE, "", b""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = what, link, len(content)
            info.pax_headers = {"SCHILY.xattr.user.a": "b"} if kind == tarfile.PAX_FORMAT else {}
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def sparse_tar() -> bytes:
    """Return an archive with an old GNU sparse file whose map needs a second block, before another member."""
    header = bytearray(tarfile.TarInfo("sparse").tobuf(tarfile.GNU_FORMAT))
    entries = [b"%011o\0%011o\0" % region for region in ((0, 0), (1024, 0), (2048, 0), (3072, 512), (4096, 0))]
    header[156:157] = b"S"
    header[124:136] = b"00000001000\0"
    header[386:482] = b"".join(entries[:4])
    header[482] = 1
    header[483:495] = b"00000010000\0"
    return with_valid_checksums_tar(bytes(header) + entries[4].ljust(512, b"\0") + bytes(512) + tar({"after": b"1"}))


def odd_tar() -> bytes:
    """Sparse files of the pax formats, access control lists, capabilities, attributes of elsewhere."""
    out = io.BytesIO()
    acl = "user::rw-,user:root:rwx,group::r--,mask::rwx,other::r--"
    data = b"2\n512\n512\n4096\n0\n".ljust(512, b"\0") + bytes(512)
    one = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "4096", "GNU.sparse.name": "s"}
    keys = {"GNU.sparse.size": "4096", "GNU.sparse.numblocks": "2", "GNU.sparse.map": "0,512,4096,0"}
    rest = {
        "SCHILY.acl.access": acl,
        "SCHILY.acl.default": acl,
        "SCHILY.xattr.security.capability": "\1\0\0\2" + "\0" * 16,
        "SCHILY.xattr.system.posix_acl_access": "\2\0\0\0",
        "SCHILY.xattr.com.apple.a": "x",
        "RHT.security.selinux": "system_u",
        "mtime": "-5.5",
    }
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for name, content, pax in (
            ("etc/passwd", b"root:x:0:0::/:/bin/sh\n", {}),
            ("f", b"", rest),
            ("1", data, one),
            ("2", bytes(512), keys),
        ):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(content), dict(pax)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def xz(*contents: bytes) -> bytes:
    """Return streams of one block each."""
    return b"".join(lzma.compress(content, lzma.FORMAT_XZ, lzma.CHECK_SHA256, 0) for content in contents)


def bzimage(text: bytes = b"6.1.0-gprov (gprov@gprov) #45 SMP PREEMPT_DYNAMIC Thu Jan  1 00:00:00 UTC 1970") -> bytes:
    head = bytearray(4096)
    head[0x1F1] = 7
    head[0x1FE:0x200] = b"\x55\xaa"
    head[0x202:0x206] = b"HdrS"
    head[0x20E:0x210] = struct.pack("<H", 0x300)
    head[0x500 : 0x500 + len(text)] = text
    return bytes(head)


def superblock() -> bytes:
    """Return a superblock (version 1.2) of the first of two members."""
    raw = bytearray(4096)
    struct.pack_into("<IIII16s32sQiiQIII", raw, 0, 0xA92B4EFC, 1, 0, 0, b"a" * 16, b"h:n", 0, 1, 0, 99, 0, 2, 0)
    struct.pack_into("<QQQQII16s", raw, 128, 0, 99, 8, 0, 0, 0, b"d" * 16)
    struct.pack_into("<QQQII", raw, 192, 0, 7, 0xFFFFFFFFFFFFFFFF, 0, 2)
    struct.pack_into("<HH", raw, 256, 0, 1)
    return with_valid_checksums_superblock(bytes(raw))


def gpt() -> bytes:
    """Return a GPT with one partition and sectors of 512 bytes."""
    entry = b"T" * 16 + bytes(range(16)) + struct.pack("<QQQ", 2048, 4095, 0) + "RECOVERY".encode("utf-16-le")
    entries = entry.ljust(128, b"\0") * 2
    fields = (b"EFI PART", 0x10000, 92, 0, 0, 1, 99, 34, 98, b"G" * 16, 2, 2, 128, 0)
    header = struct.pack("<8sIIII4Q16sQIII", *fields)
    return with_valid_checksums_gpt(bytes(512) + header.ljust(512, b"\0") + entries)


def load_option() -> bytes:
    """Return a load option with partition, file and arguments."""
    drive = struct.pack("<BBHIQQ16sBB", 4, 1, 42, 1, 2048, 409600, bytes(range(16)), 2, 2)
    path = "\\norm_boot\0".encode("utf-16-le")
    file = struct.pack("<BBH", 4, 4, 4 + len(path)) + path
    nodes = drive + file + struct.pack("<BBH", 0x7F, 0xFF, 4)
    head = struct.pack("<IH", 1, len(nodes)) + "Normal Boot\0".encode("utf-16-le")
    return head + nodes + "quiet real_root=LABEL=PRIMARY\0".encode("utf-16-le")


def document(value: object) -> bytes:
    return json.dumps(value).encode()


def with_valid_checksums_tar(data: bytes) -> bytes:
    """Correct the checksum of each block with a plausible type, and append the end of the archive."""
    out = bytearray(data)
    for start in range(0, len(out) - 511, 512):
        if any(out[start : start + 512]) and out[start + 156 : start + 157] in b"\x0001234567xgLKS":
            out[start + 148 : start + 156] = b" " * 8
            out[start + 148 : start + 156] = b"%06o\0 " % sum(out[start : start + 512])
    return bytes(out) + bytes(1024 + -len(out) % 512)


def with_valid_checksums_xz(data: bytes) -> bytes:
    """Correct magic numbers, flags and the checksums of header, index and footer of one stream, and of its first block
    header, if there is one."""
    if len(data) < 32:
        return data
    out = bytearray(data[: len(data) // 4 * 4])
    flags = b"\0\x0a"
    out[:12] = b"\xfd7zXZ\0" + flags + _crc(flags)
    size = (int.from_bytes(out[-8:-4], "little") % 4096 + 1) * 4
    size = min(size, len(out) - 24)
    tail = (size // 4 - 1).to_bytes(4, "little") + flags
    out[-12:] = _crc(tail) + tail + b"YZ"
    index = len(out) - 12 - size
    out[index] = 0
    out[index + size - 4 : index + size] = _crc(bytes(out[index : index + size - 4]))
    header = (out[12] + 1) * 4
    if 12 + header <= index:
        out[12 + header - 4 : 12 + header] = _crc(bytes(out[12 : 12 + header - 4]))
    return bytes(out)


def with_valid_checksums_superblock(data: bytes) -> bytes:
    """Correct the checksum, and set the usual sector."""
    raw = bytearray(data[:4096].ljust(4096, b"\0"))
    raw[:8] = struct.pack("<II", 0xA92B4EFC, 1)
    raw[144:152] = struct.pack("<Q", 8)
    size = 256 + 2 * min(int.from_bytes(raw[220:224], "little"), 1920)
    words = struct.unpack(f"<{size // 4}I", raw[: size // 4 * 4])
    total = sum(words) - words[54] + (int.from_bytes(raw[size // 4 * 4 : size], "little"))
    raw[216:220] = struct.pack("<I", ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF)
    return bytes(raw)


def with_valid_checksums_gpt(data: bytes) -> bytes:
    """Correct both checksums."""
    raw = bytearray(data.ljust(1024, b"\0"))
    first, count, size = struct.unpack_from("<QII", raw, 512 + 72)
    entries = bytes(raw[first * 512 :][: count * size]) if first < 1 << 20 else b""
    raw[512:520] = b"EFI PART"
    raw[512 + 88 : 512 + 92] = _crc(entries)
    length = int.from_bytes(raw[524:528], "little")
    if 92 <= length <= 512:
        raw[528:532] = bytes(4)
        raw[528:532] = _crc(bytes(raw[512 : 512 + length]))
    return bytes(raw)


def with_valid_checksums_entry_point(data: bytes) -> bytes:
    """Correct the checksum of an SMBIOS entry point."""
    raw = bytearray(data)
    at = 6 if data.startswith(b"_SM3_") else 5
    if data.startswith(b"_SM") and len(raw) > at and 8 < raw[at] <= len(raw):
        raw[7 if at == 5 else 10] = 0
        raw[4 if at == 5 else 5] = 0
        raw[4 if at == 5 else 5] = -sum(raw[: raw[at]]) & 0xFF
    return bytes(raw)


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")
