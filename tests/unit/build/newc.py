"""A reader of "newc" archives that is independent of ours: written from the format's description."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    fields: tuple[int, ...]
    name: bytes
    content: bytes


def read_newc(data: bytes) -> list[Member]:
    """Members up to the trailer; fails on anything that the format does not allow."""
    members: list[Member] = []
    position = 0
    while True:
        assert position % 4 == 0
        assert data[position : position + 6] == b"070701"
        numbers = tuple(int(data[position + 6 + 8 * i : position + 14 + 8 * i], 16) for i in range(13))
        name_start = position + 110
        name_end = name_start + numbers[11]
        assert data[name_end - 1] == 0
        start = -(-name_end // 4) * 4
        end = start + numbers[6]
        member = Member(numbers, data[name_start : name_end - 1], data[start:end])
        position = -(-end // 4) * 4
        assert not data[name_end:start].strip(b"\0")
        assert not data[end:position].strip(b"\0")
        if member.name == b"TRAILER!!!":
            assert position == len(data)
            return members
        members.append(member)
