"""Trees whose links lead out of them: everything that is done to paths in them stays in them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.files.files import LinuxFiles
from gprov.domain.errors import DeviceFault, DeviceMissing

# How a link in the tree may be spelled so that, followed by us, it leads to the folder ``outside`` beside the tree.
LINKS = {
    "absolute": "{outside}",
    "relative": "../outside",
    "far up": "../../../../../../../../../../../../../../..{outside}",
    "through the root": "/..{outside}",
    "through another link": "step/../../outside",
    "through /proc": "/proc/self/root{outside}",
    "through a descriptor": "/proc/self/cwd/../../../../../../../..{outside}",
}


class Trap:
    """A tree, and beside it a folder that must stay out of reach."""

    def __init__(self, folder: Path) -> None:
        self.tree, self.outside = folder / "tree", folder / "outside"
        for place in (self.tree, self.outside):
            place.mkdir()
        (self.outside / "secret").write_bytes(b"secret")
        (self.outside / "folder").mkdir()
        (self.tree / "step").symlink_to("/")
        self.files = LinuxFiles([str(self.tree)])

    def path(self, inner: str) -> str:
        return f"{self.tree}/{inner}"

    def untouched(self) -> bool:
        found = {str(path.relative_to(self.outside)) for path in self.outside.rglob("*")}
        same = found == {"secret", "folder"} and (self.outside / "secret").read_bytes() == b"secret"
        modes = [stat.S_IMODE((self.outside / name).stat().st_mode) for name in ("", "folder", "secret")]
        return same and 0o4711 not in modes


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


@pytest.fixture(params=LINKS)
def sprung(trap: Trap, request: pytest.FixtureRequest) -> Trap:
    """``log`` in the tree is such a link."""
    (trap.tree / "log").symlink_to(LINKS[request.param].format(outside=trap.outside))
    return trap


def test_nothing_outside_is_read(sprung: Trap) -> None:
    for look in (sprung.files.read, sprung.files.digests, lambda path: sprung.files.read_start(path, 3)):
        with pytest.raises(DeviceMissing):
            look(sprung.path("log/secret"))
    assert sprung.files.status(sprung.path("log/secret")) is None
    with pytest.raises(DeviceMissing):
        sprung.files.names(sprung.path("log"))
    with pytest.raises(DeviceMissing):
        sprung.files.copy(sprung.path("log/secret"), sprung.path("copy"))


def test_nothing_outside_is_changed(sprung: Trap) -> None:
    files, path = sprung.files, sprung.path
    files.replace(path("good"), b"good")
    for attempt in (
        lambda: files.replace(path("log/new"), b"x"),
        lambda: files.replace(path("log/secret"), b"x"),
        lambda: files.replace(path("log/folder/new"), b"x"),
        lambda: files.copy(path("good"), path("log/new")),
        lambda: files.make_folder(path("log/new")),
        lambda: files.make_folder(path("log/folder"), mode=0o4711),
        lambda: files.make_folder(path("log"), mode=0o4711),
        lambda: files.symlink("x", path("log/new")),
        lambda: files.rename(path("good"), path("log/good")),
        lambda: files.rename(path("log/secret"), path("stolen")),
        lambda: files.sync(path("log/folder")),
        lambda: files.usage(path("log/folder")),
    ):
        with pytest.raises(DeviceFault):
            attempt()
        assert sprung.untouched()
    files.remove(path("log/secret"))
    files.remove(path("log/folder"))
    assert sprung.untouched()
    assert not (sprung.tree / "stolen").exists()


def test_a_link_is_replaced_and_removed_itself(sprung: Trap) -> None:
    sprung.files.replace(sprung.path("log"), b"a file now")
    assert (sprung.tree / "log").read_bytes() == b"a file now"
    (sprung.tree / "log").unlink()
    (sprung.tree / "log").symlink_to(sprung.outside)
    sprung.files.remove(sprung.path("log"))
    assert not (sprung.tree / "log").is_symlink()
    assert sprung.untouched()


def test_links_lead_where_they_will_on_the_running_system(trap: Trap) -> None:
    """Absolute links of a system are good links: /var/log -> /data/log."""
    trap.files.make_folder(trap.path("data/log"))
    (trap.tree / "var").mkdir()
    (trap.tree / "var/log").symlink_to("/data/log")
    (trap.tree / "etc").symlink_to("../../data")
    trap.files.replace(trap.path("var/log/journal/file"), b"1")
    trap.files.make_folder(trap.path("var/log/journal"), mode=0o2755)
    assert (trap.tree / "data/log/journal/file").read_bytes() == b"1"
    assert stat.S_IMODE((trap.tree / "data/log/journal").stat().st_mode) == 0o2755
    trap.files.replace(trap.path("etc/hostname"), b"unit")
    assert trap.files.read(trap.path("data/hostname")) == b"unit"
    (trap.tree / "data/alias").symlink_to("/etc/hostname")
    assert trap.files.read(trap.path("data/alias")) == b"unit"
    assert trap.files.names(trap.path("var/log")) == ("journal",)


def test_the_root_of_the_tree_itself(trap: Trap) -> None:
    status = trap.files.status(str(trap.tree))
    assert status is not None
    assert trap.files.names(f"{trap.tree}/") == trap.files.names(str(trap.tree)) == ("step",)
    trap.files.make_folder(str(trap.tree), mode=0o750)
    assert stat.S_IMODE(trap.tree.stat().st_mode) == 0o750
    trap.files.sync(str(trap.tree))
    assert trap.files.usage(str(trap.tree)).total > 0


def test_a_root_within_another_need_not_be_there_yet(tmp_path: Path) -> None:
    """RECOVERY/ESP is made before anything is mounted there."""
    outer = tmp_path / "RECOVERY"
    files = LinuxFiles([str(outer), str(outer / "ESP")])
    assert files.status(str(outer)) is None
    files.make_folder(str(outer))
    assert files.status(str(outer / "ESP")) is None
    files.make_folder(str(outer / "ESP"))
    files.replace(str(outer / "ESP/EFI/BOOT/file"), b"x")
    files.symlink("ESP/EFI/BOOT/file", str(outer / "link"))
    assert files.read(str(outer / "link")) == b"x"
    assert files.names(str(outer)) == ("ESP", "link")
    files.remove(str(outer / "ESP"))
    files.replace(str(outer / "ESP/new"), b"y")
    assert (outer / "ESP/new").read_bytes() == b"y"


def test_pipes_and_devices_in_place_of_files_do_not_block(trap: Trap) -> None:
    os.mkfifo(trap.tree / "pipe")
    (trap.tree / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "step", "zero"):
        for look in (trap.files.read, trap.files.digests, lambda path: trap.files.copy(path, trap.path("copy"))):
            with pytest.raises(DeviceFault):
                look(trap.path(name))
    assert not (trap.tree / "copy").exists()


def test_a_loop_of_links_is_an_error(trap: Trap) -> None:
    (trap.tree / "a").symlink_to("b")
    (trap.tree / "b").symlink_to("/a")
    with pytest.raises(DeviceFault, match="symbolic links"):
        trap.files.read(trap.path("a/file"))
    with pytest.raises(DeviceFault, match="symbolic links"):
        trap.files.replace(trap.path("a/file"), b"x")


NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.lists(
    st.sampled_from(["a", "b", "c", "..", ".", "outside", "secret", "folder"]), min_size=1, max_size=6
).map("/".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    links=st.lists(st.tuples(NAMES, st.sampled_from(["", "/", "{outside}/", "../"]), TEXTS), max_size=3),
    folders=st.lists(NAMES, max_size=2),
    path=st.lists(st.sampled_from(["a", "b", "c", "..", "secret", "new"]), min_size=1, max_size=4).map("/".join),
)
def test_any_tree_of_links(
    tmp_path_factory: pytest.TempPathFactory, links: list[tuple[str, str, str]], folders: list[str], path: str
) -> None:
    trap = Trap(tmp_path_factory.mktemp("any"))
    for name in folders:
        (trap.tree / name).mkdir(exist_ok=True)
    for name, head, text in links:
        place = trap.tree / name
        target = Path(head.format(outside=trap.outside) + text)
        if place.is_dir() and not place.is_symlink():
            place = place / "a"
        if not place.is_symlink():
            place.symlink_to(target)
    for attempt in (
        lambda: trap.files.replace(trap.path(path), b"x"),
        lambda: trap.files.make_folder(trap.path(path), mode=0o4711),
        lambda: trap.files.symlink("x", trap.path(path)),
        lambda: trap.files.read(trap.path(path)) == b"secret" and pytest.fail("the secret was read"),
        lambda: trap.files.remove(trap.path(path)),
    ):
        with suppress(DeviceFault):
            attempt()
        assert trap.untouched()


def test_a_mount_point_in_a_closed_tree_can_be_made(tmp_path: Path) -> None:
    """As the ESP's on a RECOVERY that was just formatted."""
    outer, inner = tmp_path / "RECOVERY", tmp_path / "RECOVERY" / "ESP"
    outer.mkdir()
    files = LinuxFiles([str(outer), str(inner)])
    assert files.status(str(inner)) is None
    files.make_folder(str(inner), mode=0o750)
    status = files.status(str(inner))
    assert status is not None
    assert status.mode == 0o750
    files.replace(f"{inner}/file", b"content")
    assert (inner / "file").read_bytes() == b"content"
