from __future__ import annotations

import os
from pathlib import Path

import pytest

from gprov.apps.host.initramfs.cache import Cache, content_key, default_root
from gprov.apps.host.initramfs.hostfiles import copy_file, staged_file, write_file
from gprov.domain.errors import DeviceMissing


def test_key_keeps_facts_apart() -> None:
    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key("a", "b") != content_key("b", "a")
    assert content_key("a", b"b") == content_key(b"a", "b")


def test_entry_appears_when_it_is_complete(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))

    def make(path: str) -> None:
        assert cache.find("kernels", "k") is None
        write_file(path, b"kernel")

    path = cache.publish("kernels", "k", make)
    assert cache.find("kernels", "k") == path
    assert Path(path).read_bytes() == b"kernel"


def test_interrupted_entry_is_absent_and_can_be_made_again(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))

    def fail(path: str) -> None:
        os.mkdir(path)
        Path(path, "half").write_bytes(b"")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.publish("trees", "k", fail)
    assert cache.find("trees", "k") is None

    def make(path: str) -> None:
        os.mkdir(path)

    cache.publish("trees", "k", make)
    assert os.listdir(cache.path("trees", "k")) == []


def test_least_recently_used_entries_go(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    for index, key in enumerate("abc"):
        path = cache.publish("kernels", key, lambda path: write_file(path, b""))
        os.utime(path, (index, index))
    assert cache.find("kernels", "a")  # used now
    cache.keep_newest("kernels", 2)
    assert sorted(os.listdir(tmp_path / "kernels")) == ["a", "c"]


def test_lock_calls_waiting_before_it_waits(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))

    class Busy(Exception):
        pass

    def refuse() -> None:
        raise Busy

    with cache.lock("kernel", refuse), pytest.raises(Busy), Cache(str(tmp_path)).lock("kernel", refuse):
        pass
    with cache.lock("kernel", refuse):  # free again
        pass


def test_root_from_the_environment() -> None:
    assert default_root({"GPROV_CACHE": "/x"}) == "/x"
    assert default_root({}).endswith("/.cache/gprov")


def _write_half(path: str) -> None:
    Path(path).write_bytes(b"half")
    raise DeviceMissing(path, "unplugged")


def test_failed_write_leaves_the_old_file_and_no_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_file(str(target), b"old")
    with pytest.raises(DeviceMissing), staged_file(str(target)) as beside:
        _write_half(beside)
    with pytest.raises(DeviceMissing):
        copy_file(str(tmp_path / "none"), str(target))
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
