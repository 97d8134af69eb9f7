"""Files of a tree of Buildroot instead of the build host's."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.system.process import FakeProcesses
from gprov.apps.host.initramfs.cpio import symlink
from gprov.apps.host.initramfs.cpio_read import read_archive
from gprov.apps.host.initramfs.for_buildroot import main
from gprov.apps.host.initramfs.libraries import Libraries
from gprov.apps.host.initramfs.sources import HOST, PYTHON, SourceSystem, buildroot_tree
from gprov.domain.errors import BadInput, DeviceMissing
from tests.unit.build.test_elf import elf

NAMES = """
[packages]
tar = ["BR2_PACKAGE_TAR", "BR2_PACKAGE_ACL"]
[files]
"/usr/share/misc/pci.ids" = "/usr/share/hwdata/pci.ids"
[libraries]
"libcrypt.so.1" = "libcrypt.so.2"
"""
SPEC = """
[common]
start = "app:run"
modules = ["os"]
applets = ["busybox"]
[common.programs]
busybox = "busybox-static"
tar = "tar"
[common.libraries]
"libcrypt.so.1" = "libcrypt1"
[common.databases]
"/usr/share/misc/pci.ids" = "pci.ids"
[common.links]
"/etc/cert" = "/usr/lib/{python}/cert"
[normal]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree as Buildroot installs it: libraries in /usr/lib, applets as links, links that are absolute."""
    root = tmp_path / "target"
    files = {
        f"usr/bin/{PYTHON}": elf(["libc.so.6"]),
        "usr/bin/busybox": elf(["libc.so.6"]),
        "usr/bin/tar": elf(["libacl.so.1"]),
        "usr/lib/ld-2.99.so": elf([], interpreter=""),
        "usr/lib/libc.so.6": elf([], interpreter=""),
        "usr/lib/libacl.so.1.1": elf(["libc.so.6"], interpreter=""),
        "usr/lib/libcrypt.so.2": elf(["libc.so.6"], interpreter=""),
        "usr/share/hwdata/pci.ids": b"ids",
        f"usr/lib/{PYTHON}/os.py": b"",
        f"usr/lib/{PYTHON}/site-packages/app.py": b"import os\ndef run(): pass\n",
    }
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / "usr/sbin").mkdir()
    for link, target in {
        "lib": "usr/lib",
        "lib64": "lib",
        "bin": "usr/bin",
        "usr/lib64": "lib",
        "usr/lib/ld-linux-x86-64.so.2": "ld-2.99.so",
        "usr/lib/libacl.so.1": "/lib/libacl.so.1.1",
        "usr/bin/ls": "busybox",
        "usr/bin/vi": "/bin/busybox",
    }.items():
        (root / link).symlink_to(target)
    return root


def freeze(root: Path, spec: str = SPEC) -> int:
    beside = root.parent
    (beside / "names.toml").write_text(NAMES)
    (beside / "spec.toml").write_text(spec)
    words = ["freeze", "--root", str(root), "--grub", "/nowhere", "--names", str(beside / "names.toml")]
    words += ["--spec", str(beside / "spec.toml"), "--flavor", "normal", "--output", str(beside / "out.cpio")]
    return main(words, FakeProcesses())


def test_an_initramfs_of_a_tree_has_nothing_of_the_host(root: Path) -> None:
    assert freeze(root) == 0
    nodes = {node.path: node for node in read_archive((root.parent / "out.cpio").read_bytes(), "out")}
    assert {path: node.content for path, node in nodes.items() if re.search(r"\.so|/bin/|ids|cert", path)} == {
        f"usr/bin/{PYTHON}": elf(["libc.so.6"]),
        "usr/bin/busybox": elf(["libc.so.6"]),
        "usr/bin/tar": elf(["libacl.so.1"]),
        "usr/bin/ls": b"busybox",
        "usr/bin/vi": b"busybox",
        "usr/lib64/ld-linux-x86-64.so.2": elf([], interpreter=""),
        "usr/lib/libc.so.6": elf([], interpreter=""),
        "usr/lib/libacl.so.1": elf(["libc.so.6"], interpreter=""),
        "usr/lib/libcrypt.so.2": elf(["libc.so.6"], interpreter=""),
        "usr/share/misc/pci.ids": b"ids",
        "etc/cert": f"/usr/lib/{PYTHON}/cert".encode(),
    }
    modules = {path for path in nodes if path.endswith(".pyc")}
    assert modules == {f"usr/lib/{PYTHON}/os.pyc", f"usr/lib/{PYTHON}/app.pyc"}
    assert nodes["bin"] == symlink("bin", "usr/bin")


def test_an_applet_does_not_stand_in_for_a_program(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "usr/bin/tar").unlink()
    (root / "usr/bin/tar").symlink_to("busybox")
    assert freeze(root) == 1
    message = "usr/bin/tar: is a link to busybox, not the program; select BR2_PACKAGE_TAR, BR2_PACKAGE_ACL"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("usr/bin/tar", "tar: program is not installed; select BR2_PACKAGE_TAR, BR2_PACKAGE_ACL"),
        ("usr/share/hwdata/pci.ids", "pci.ids: no such file; not in "),
        ("usr/lib/libcrypt.so.2", "libcrypt.so.2: no such shared library; not in "),
        (f"usr/bin/{PYTHON}", "missing; bytecode depends on the version: build with the tree's own version"),
    ],
)
def test_what_is_missing_is_not_taken_from_the_host(
    root: Path, missing: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / missing).unlink()
    assert freeze(root) == 3
    assert message in capsys.readouterr().err
    assert not (root.parent / "out.cpio").exists()


@pytest.mark.parametrize(
    ("link", "target", "path", "found"),
    [
        ("a/x", "/b/file", "/a/x", "b/file"),
        ("a/x", "../b/file", "/a/x", "b/file"),
        ("a/x", "../../../../b/file", "/a/x", "b/file"),  # as for a process whose root is the tree
        ("a/x", "/b", "/a/x/file", "b/file"),
        ("a/x", "/etc/passwd", "/a/x", None),
        ("a/x", "x", "/a/x", None),
        ("a/x", "y", "/b/../b/./file", "b/file"),
    ],
)
def test_links_stay_in_the_tree(tmp_path: Path, link: str, target: str, path: str, found: str | None) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "b/file").write_bytes(b"")
    (tmp_path / link).symlink_to(target)
    expected = None if found is None else str(tmp_path / found)
    assert SourceSystem(root=str(tmp_path)).locate(path) == expected


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "/b", "../c", "/", "../..", "/a/b"]))))
def test_no_links_lead_out_of_the_tree(links: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.realpath(folder)
        for name, target in links:
            if not os.path.lexists(f"{root}/{name}"):
                os.symlink(target, f"{root}/{name}")
        for path in ("/a", "/b/c", "/c/../a/b"):
            found = SourceSystem(root=root).locate(path)
            assert found is None or found == root or found.startswith(f"{root}/")


def test_paths_of_the_host_are_the_host_s(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("y")
    assert HOST.locate(str(tmp_path / "x")) is None
    (tmp_path / "y").write_bytes(b"")
    assert HOST.locate(str(tmp_path / "x")) == str(tmp_path / "y")
    assert HOST.inner("/usr/bin/x") == "/usr/bin/x"


def test_all_problems_of_the_names_at_once(tmp_path: Path) -> None:
    text = 'x = 1\n[packages]\na = "b"\nc = []\n[files]\n"/d" = 1\n[libraries]\ne = ""\n'
    with pytest.raises(BadInput) as caught:
        buildroot_tree(str(tmp_path), "/grub", text, "names")
    assert [problem.split(":")[0] for problem in caught.value.details()] == [
        "x",
        "packages.a",
        "packages.c",
        "files./d",
        "libraries.e",
    ]


def test_a_library_on_a_run_path_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "opt/own").mkdir(parents=True)
    (tmp_path / "opt/own/program").write_bytes(elf(["libown.so"], "$ORIGIN", interpreter=""))
    (tmp_path / "opt/own/libown.so").write_bytes(elf([], interpreter=""))
    libraries = Libraries(SourceSystem(root=str(tmp_path), search_path=("/usr/lib",)))
    libraries.add_dependencies_of(str(tmp_path / "opt/own/program"))
    assert libraries.files() == {"opt/own/libown.so": str(tmp_path / "opt/own/libown.so")}
    with pytest.raises(DeviceMissing):
        Libraries(SourceSystem(root=str(tmp_path))).add("libown.so", "libown")


def test_the_interpreter_s_folder_is_named_after_this_interpreter() -> None:
    assert sys.version.startswith(PYTHON.removeprefix("python"))


def kernel_folder(tmp_path: Path, settings: str) -> Path:
    folder = tmp_path / "kernel"
    folder.mkdir()
    (folder / "kernel.toml").write_text(settings)
    (folder / "x86_64.config").write_text('CONFIG_INITRAMFS_SOURCE="a"\nCONFIG_B=y\n# CONFIG_C is not set\n')
    (folder / "own.config").write_text("CONFIG_D=y\n")
    return folder


def test_the_kernel_is_configured_by_the_settings_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kernel_folder(tmp_path, 'fragments = ["own"]\n[budget]\nbase = 1\n')
    config, source = tmp_path / "config", tmp_path / "source"
    source.mkdir()
    (source / "Kconfig").write_text("config B\nconfig C\nconfig D\n")
    assert main(["write-config", "--kernel", str(folder), "--output", str(config)], FakeProcesses()) == 0
    assert config.read_text().splitlines() == [
        "CONFIG_B=y",
        "# CONFIG_C is not set",
        "CONFIG_D=y",
        'CONFIG_INITRAMFS_SOURCE="a"',
    ]
    check = ["check-config", "--kernel", str(folder), "--config", str(config), "--source", str(source)]
    config.write_text('CONFIG_B=y\nCONFIG_D=y\nCONFIG_INITRAMFS_SOURCE="b"\n')
    assert main(check, FakeProcesses()) == 0
    (source / "Kconfig").write_text("config B\nconfig D\n")
    assert main(check, FakeProcesses()) == 1
    assert "x86_64.config:3: CONFIG_C: the kernel's source has no such symbol" in capsys.readouterr().err
    config.write_text("CONFIG_B=y\nCONFIG_C=y\n")
    assert main(check, FakeProcesses()) == 1
    said = capsys.readouterr().err
    assert "x86_64.config:3: CONFIG_C: requested n, final configuration: y" in said
    assert "own:1: CONFIG_D: requested y, final configuration: n" in said
    assert "INITRAMFS" not in said


@pytest.mark.parametrize("setting", ["modules = true", 'firmware = ["x"]'])
def test_what_the_external_tree_cannot_pack_is_refused(
    tmp_path: Path, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kernel_folder(tmp_path, f"{setting}\n[budget]\nbase = 1\n")
    words = ["write-config", "--kernel", str(folder), "--output", str(tmp_path / "config")]
    assert main(words, FakeProcesses()) == 1
    assert "is not supported with Buildroot" in capsys.readouterr().err
    assert not (tmp_path / "config").exists()
