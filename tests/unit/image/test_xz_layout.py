"""Finding streams and blocks of .xz files, and refusing what is not as the format says."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import GprovError, IntegrityFault
from gprov.domain.formats.image.xz_fields import Malformed, XzFilter, parse_index, parse_stream_footer
from gprov.domain.formats.image.xz_layout import XzLayout, read_layout

XzOf = Callable[..., bytes]


def layout_of(data: bytes) -> XzLayout:
    return read_layout("x.upd", len(data), lambda offset, size: data[offset : offset + size])


def unpacked(data: bytes) -> bytes:
    """Decode by the layout alone."""
    out = b""
    for block in layout_of(data).blocks:
        packed = data[block.data_offset : block.data_offset + block.data_size]
        out += lzma.decompress(packed, format=lzma.FORMAT_RAW, filters=block.decoder())
    return out


def test_files_written_by_liblzma() -> None:
    data = lzma.compress(b"hello" * 999, check=lzma.CHECK_SHA256, preset=6)
    layout = layout_of(data)
    (stream,), (block,) = layout.streams, layout.blocks
    assert (stream.number, stream.offset, stream.size, stream.check) == (1, 0, len(data), 10)
    assert block.uncompressed_size == layout.uncompressed_size == 4995
    assert block.filters == (XzFilter(lzma.FILTER_LZMA2, 8 << 20),)
    assert block.dictionary == 4995
    assert block.end + stream.index_size + 12 == len(data)


@pytest.mark.parametrize("sizes", [True, False])
@pytest.mark.parametrize(
    "filters",
    [
        [{"id": lzma.FILTER_LZMA2, "dict_size": 4096}],
        [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}],
        [{"id": lzma.FILTER_ARM, "start_offset": 64}, {"id": lzma.FILTER_LZMA2, "dict_size": 6144}],
        [
            {"id": lzma.FILTER_DELTA, "dist": 256},
            {"id": lzma.FILTER_POWERPC},
            {"id": lzma.FILTER_SPARC},
            {"id": lzma.FILTER_LZMA2, "dict_size": 3 << 20},
        ],
    ],
)
def test_filters_and_sizes(sizes: bool, filters: list[dict[str, int]], xz_of: XzOf) -> None:
    parts = [bytes(range(256)) * 40, b"", b"x"]
    data = xz_of(parts, sizes=sizes, filters=filters)
    assert lzma.decompress(data) == b"".join(parts)  # the writer of these tests writes what liblzma reads
    assert unpacked(data) == b"".join(parts)
    assert [block.uncompressed_size for block in layout_of(data).blocks] == [10240, 0, 1]


def test_streams_padding_and_empty_streams(xz_of: XzOf) -> None:
    parts = [xz_of([b"one", b"two"], padding=4), xz_of([]), xz_of([b"three"], padding=200_000), xz_of([b"four"])]
    data = b"".join(parts)
    layout = layout_of(data)
    assert [stream.number for stream in layout.streams] == [1, 2, 3, 4]
    assert [block.stream for block in layout.blocks] == [1, 1, 3, 4]
    assert layout.streams[1].offset == len(parts[0])
    assert unpacked(data) == b"onetwothreefour"


@pytest.mark.parametrize(("check", "name"), [(0, "none"), (1, "CRC32"), (4, "CRC64")])
def test_every_stream_must_have_sha256(check: int, name: str, xz_of: XzOf) -> None:
    good, bad = xz_of([b"good"]), xz_of([b"bad"], check=check)
    for data, number, offset in ((bad, 1, 0), (good + bad, 2, len(good)), (good + bad + good, 2, len(good))):
        with pytest.raises(IntegrityFault) as caught:
            layout_of(data)
        assert f"stream {number} must have the check SHA-256, has {name} (offset {offset})" in str(caught.value)


def test_unknown_check_and_unsupported_filters(xz_of: XzOf) -> None:
    data = bytearray(xz_of([]))
    flags = b"\0\x0b"
    data[6:12] = flags + zlib.crc32(flags).to_bytes(4, "little")
    data[-4:-2] = flags
    data[-12:-8] = zlib.crc32(data[-8:-2]).to_bytes(4, "little")
    with pytest.raises(IntegrityFault, match=r"unknown \(0x0b\)"):
        layout_of(bytes(data))
    block = bytearray(xz_of([b"x"], sizes=False))
    block[14] = 0x0B  # RISC-V
    block[20:24] = zlib.crc32(block[12:20]).to_bytes(4, "little")
    with pytest.raises(IntegrityFault, match=r"filter 0xb \(RISC-V\) is not supported"):
        layout_of(bytes(block))


def with_crc(data: bytes, start: int, end: int) -> bytes:
    """The CRC32 of these bytes, put behind them."""
    return data[:end] + zlib.crc32(data[start:end]).to_bytes(4, "little") + data[end + 4 :]


@pytest.mark.parametrize(("told", "which"), [((1, 0), "compressed"), ((-1, 0), "compressed"), ((0, 1), "uncompressed")])
def test_block_headers_must_agree_with_the_index(told: tuple[int, int], which: str, xz_of: XzOf) -> None:
    data = xz_of([b"one", b"two"], told=told)
    with pytest.raises(lzma.LZMAError):
        lzma.decompress(data)
    with pytest.raises(IntegrityFault, match=f"disagree about the {which} size"):
        layout_of(data)


def test_stream_header_must_agree_with_its_footer(xz_of: XzOf) -> None:
    data = xz_of([b"one"])
    changed = with_crc(data[:7] + b"\x04" + data[8:], 6, 8)
    with pytest.raises(IntegrityFault, match="header and footer disagree"):
        layout_of(changed)


def test_reserved_bits_and_header_padding(xz_of: XzOf) -> None:
    data = xz_of([b"x"], sizes=False)
    assert data[12] == 2  # block header of 12 bytes: size, flags, filter (3), padding (3), CRC32
    for at, value, said in ((19, 1, "padding"), (13, 0x04, "reserved"), (16, 0x80 | data[16], "not valid")):
        changed = with_crc(data[:at] + bytes((value,)) + data[at + 1 :], 12, 20)
        with pytest.raises(IntegrityFault, match=said):
            layout_of(changed)
    for at in (6, 7):
        changed = with_crc(data[:at] + bytes((data[at] | 0x80,)) + data[at + 1 :], 6, 8)
        with pytest.raises(IntegrityFault, match="reserved"):
            layout_of(changed)


def boundaries(data: bytes) -> Iterator[int]:
    """Offset of every part that the format has."""
    layout = layout_of(data)
    for stream in layout.streams:
        end = stream.offset + stream.size
        yield from (stream.offset, stream.offset + 6, stream.offset + 12)
        yield from (end - 12 - stream.index_size, end - 12, end - 2, end)
    for block in layout.blocks:
        yield from (block.offset + 1, block.data_offset, block.data_offset + block.data_size, block.end - 32, block.end)


def test_cut_at_every_boundary(image: bytes) -> None:
    ends = {stream.offset + stream.size for stream in layout_of(image).streams}
    for cut in sorted(set(boundaries(image))):
        for size in (cut - 4, cut - 1, cut, cut + 1):
            if size < 0 or size >= len(image) or size in ends or size - 8 in ends or size - 4 in ends:
                continue  # the first stream alone, with and without its padding, is a whole file
            with pytest.raises(IntegrityFault):
                layout_of(image[:size])


@pytest.mark.parametrize("garbage", [b"x", b"\0", b"\0\0\0x", b"YZYZ", b"garbage!" * 9, b"\xfd7zXZ\0\0\0"])
def test_trailing_garbage(image: bytes, garbage: bytes) -> None:
    with pytest.raises(IntegrityFault):
        layout_of(image + garbage)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\xfd7zXZ", "only 5 bytes"),
        (b"PK\3\4" + bytes(100), "is not an xz file"),
        (bytes(4096), "is not an xz file"),
        (b"\xfd7zXZ\0" + bytes(102), "too short"),
    ],
)
def test_other_files(data: bytes, said: str) -> None:
    with pytest.raises(IntegrityFault, match=said):
        layout_of(data)


def test_a_file_that_shrinks_while_it_is_read(image: bytes) -> None:
    with pytest.raises(IntegrityFault, match="the file ends here"):
        read_layout("x", len(image) + 64, lambda offset, size: image[offset : offset + size])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x80\0\0\0\0\0\0\0", "CRC32"),
        (b"\0\x80\0\0", "not end|shortest"),
        (b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", "not end"),
        (b"\0\x7f\0\0", "room"),
        (b"\0\0\0\1", "padding"),
        (b"\1\0\0\0", "indicator"),
    ],
)
def test_index(data: bytes, said: str) -> None:
    body = data if "CRC32" in said else data + zlib.crc32(data).to_bytes(4, "little")
    with pytest.raises(Malformed, match=said):
        parse_index(body)


@given(st.binary(max_size=40))
def test_arbitrary_fields(data: bytes) -> None:
    for parse in (parse_index, parse_stream_footer):
        with pytest.raises(Malformed):
            parse(data.ljust(12, b"\1"))


@given(st.binary(max_size=300))
def test_arbitrary_bytes(data: bytes) -> None:
    for candidate in (data, b"\xfd7zXZ\0" + data, b"\xfd7zXZ\0" + data + b"YZ"):
        with pytest.raises(GprovError):
            layout_of(candidate)


@given(data=st.data())
def test_mutations_are_refused_or_leave_a_layout_that_fits_the_file(image: bytes, data: st.DataObject) -> None:
    changed = bytearray(image)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        layout = layout_of(bytes(changed))
    except GprovError:
        return
    ends = [0, *(block.end for block in layout.blocks)]
    assert all(end <= block.offset for end, block in zip(ends, layout.blocks, strict=False))
    assert ends[-1] <= len(changed)
