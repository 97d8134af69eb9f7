"""``--record`` and ``--from-record``: what this machine is, and builds by a toolchain that only pretends to compile."""

from __future__ import annotations

import io
import json
import os
import subprocess
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.build_recording import Given, Recording, completed
from gprov.apps.host.cli.main import main
from gprov.apps.host.initramfs.build_inputs import inputs_here, toolchain_of
from gprov.apps.host.initramfs.build_record import Choices, InputsDiffer
from gprov.apps.host.initramfs.build_record_file import MAX_ROWS
from gprov.apps.host.initramfs.builds import Builder, Initramfs, Kernel
from gprov.apps.host.initramfs.cache import Cache
from gprov.apps.host.initramfs.cpio import regular, symlink
from gprov.apps.host.initramfs.kernel_settings import KernelSettings, shipped_choice
from gprov.apps.host.initramfs.parts import Part, PartKind, PartSize
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.errors import IntegrityFault, RefusedByPolicy
from gprov.domain.trust.policy import TrustPolicy
from tests.unit.build.hosts import PACKAGES, Debian

CHECKOUT = Path(__file__).parents[3]
SHIPPED = shipped_choice(str(CHECKOUT / "buildroot/kernel"))
CHOICES = Choices(flavor=Flavor.NORMAL, number=7, level=9)
NODES = (regular("init", b"#!"), symlink("bin", "usr/bin"), regular("usr/bin/make", b"program", 0o755))
INITRAMFS = Initramfs(b"archive", 7, (PartSize(Part(PartKind.PYTHON, "package requests"), 1, 1),), NODES)


def build(host: Debian, cache: Path, recording: Recording, choices: Choices = CHOICES) -> Kernel:
    toolchain = recording.toolchain()
    recording.measure(choices, SHIPPED, INITRAMFS, toolchain)
    builds = Builder(host, Cache(str(cache)), BuildProgress(io.StringIO()))
    kernel = builds.kernel(SHIPPED, INITRAMFS, choices.number, 1, toolchain=toolchain)
    recording.finish(kernel, INITRAMFS)
    return kernel


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "kernel.record.json"
    host = Debian()
    build(host, tmp_path / "first", Recording(host, str(path), None))
    return path


def test_the_same_machine_builds_the_recorded_kernel(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host, again = Debian(), tmp_path / "again.json"
    kernel = build(host, tmp_path / "second", Recording(host, str(again), str(record)))
    assert again.read_bytes() == record.read_bytes()
    digest = subprocess.run(["sha256sum", kernel.files.image], capture_output=True, check=True, text=True).stdout[:64]
    assert json.loads(again.read_text())["Result"]["Sha256"] == digest
    assert f"{record}: the same kernel, SHA-256 {digest}" in capsys.readouterr().err


def test_a_machine_with_another_tool_builds_nothing(record: Path, tmp_path: Path) -> None:
    host = Debian({**PACKAGES, "bison": "3.9"})
    with pytest.raises(InputsDiffer) as caught:
        build(host, tmp_path / "second", Recording(host, None, str(record)))
    assert caught.value.details()[0] == "package bison: recorded 3.8, here 3.9"
    assert "apt-get install --allow-downgrades bison=3.8" in caught.value.details()
    assert host.compiled == []


def test_another_choice_builds_nothing(record: Path, tmp_path: Path) -> None:
    host = Debian()
    other = Choices(flavor=Flavor.NORMAL, number=8, level=9)
    with pytest.raises(InputsDiffer) as caught:
        build(host, tmp_path / "second", Recording(host, None, str(record)), other)
    assert "option BUILD_NUMBER: recorded 7, here 8" in caught.value.details()
    assert host.compiled == []


@pytest.mark.parametrize("key", ["Sha256", "Size", "Initramfs", "Modules"])
def test_another_result_is_refused_and_no_record_is_written(record: Path, tmp_path: Path, key: str) -> None:
    value = json.loads(record.read_text())
    value["Result"][key] = 5 if key == "Size" else "f" * 64
    record.write_text(json.dumps(value))
    host, again = Debian(), tmp_path / "again.json"
    with pytest.raises(IntegrityFault, match="is another kernel"):
        build(host, tmp_path / "second", Recording(host, str(again), str(record)))
    assert not again.exists()


def test_a_record_that_could_not_be_read_again_is_refused_before_the_work(tmp_path: Path) -> None:
    host, path = Debian(), tmp_path / "kernel.record.json"
    nodes = tuple(regular(f"etc/{number}", b"") for number in range(MAX_ROWS + 1))
    with pytest.raises(RefusedByPolicy, match=f"at most {MAX_ROWS} files, the initramfs has {MAX_ROWS + 1}"):
        Recording(host, str(path), None).measure(CHOICES, SHIPPED, replace(INITRAMFS, nodes=nodes), {"make": "4.3-4"})
    assert list(tmp_path.iterdir()) == []


def test_without_the_options_nothing_is_measured(tmp_path: Path) -> None:
    """Such builds go on to take trees of other configurations."""
    host = Debian()
    recording = Recording(host, None, None)
    assert recording.toolchain() == {}
    assert recording.choices is None
    build(host, tmp_path / "cache", recording)
    assert os.listdir(tmp_path) == ["cache"]


def test_options_that_were_not_given_are_those_of_the_record() -> None:
    """Files of the owner are named again: the record has their digests."""
    recorded = Choices(
        flavor=Flavor.MFG,
        number=42,
        level=9,
        fragments=("server", "./own.config"),
        modules=True,
        firmware=("bnx2", "./vendor"),
        policy=TrustPolicy.ENFORCE,
        security_version=3,
    )
    nothing = Given(
        flavor=None,
        number=None,
        level=None,
        fragments=(),
        modules=None,
        firmware=(),
        policy=None,
        security_version=None,
    )
    settings = KernelSettings((), False, (), {"base": 1})

    def made(given: Given) -> Choices:
        return given.choices(settings.with_options(given.fragments, given.modules, given.firmware, None))

    assert made(completed(nothing, recorded)) == Choices(
        flavor=Flavor.MFG,
        number=42,
        level=9,
        fragments=("server",),
        modules=True,
        firmware=("bnx2",),
        policy=TrustPolicy.ENFORCE,
        security_version=3,
    )
    everything = Given(
        flavor=Flavor.NORMAL,
        number=0,
        level=1,
        fragments=("/place/own.config",),
        modules=False,
        firmware=("/place/vendor/",),
        policy=TrustPolicy.WARN,
        security_version=0,
    )
    assert made(completed(everything, recorded)) == Choices(
        flavor=Flavor.NORMAL,
        number=0,
        level=1,
        fragments=("./own.config", "server"),
        modules=False,
        firmware=("./vendor", "bnx2"),
        policy=TrustPolicy.WARN,
        security_version=0,
    )
    assert completed(nothing, None) == nothing


def test_a_flavour_is_needed_without_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["build", "kernel", "--output", str(tmp_path / "out")])
    assert "'--flavor': is needed without --from-record" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--record", "--system-tree"])
def test_no_file_replaces_another(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The kernel would be the last one: its record would be lost."""
    with chdir(tmp_path), pytest.raises(SystemExit, match="2"):
        main(["build", "kernel", "--flavor", "normal", "--output", "out", option, str(tmp_path / "out")])
    assert f"'{option}': is the file of --output: name another one" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--output", "--record", "--system-tree"])
@pytest.mark.parametrize(("place", "why"), [("file/below", "Not a directory"), (".", "is no file, but a folder")])
def test_what_cannot_be_written_is_refused_before_the_work(
    option: str, place: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even before the configuration is read, which would be compiled: there is none."""
    (tmp_path / "file").write_bytes(b"kept")
    path = tmp_path / place
    paths = {"--output": tmp_path / "new/out", option: path}
    words = [str(word) for pair in paths.items() for word in pair]
    assert main(["build", "kernel", "--flavor", "normal", "--config", str(tmp_path / "none"), *words]) == 3
    assert f"{path}: cannot be written: {why}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    assert (tmp_path / "file").read_bytes() == b"kept"


def test_all_that_is_missing_for_an_initramfs_is_named_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "initramfs.toml"
    programs, databases = (
        "own-tool = 'own-tools'\nother = 'others'\ntar = 'tar'\n",
        "'/usr/share/own.ids' = 'own-tools'\n",
    )
    tables = f"[common.programs]\n{programs}[common.databases]\n{databases}[normal]\n[mfg]\n"
    spec.write_text(f"[common]\nstart = 'os:getpid'\nmodules = ['os']\n{tables}")
    words = ["build", "initramfs", "--flavor", "normal", "--spec", str(spec), "--output", str(tmp_path / "out")]
    assert main(words) == 3
    missing = "/usr/share/own.ids, other, own-tool: not installed; apt-get install others own-tools"
    assert missing in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("content", "code"), [(b"{}", 1), (None, 3)])
def test_a_record_that_cannot_be_read(
    tmp_path: Path, content: bytes | None, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "record.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["build", "kernel", "--output", str(tmp_path / "out"), "--from-record", str(path)]) == code
    assert str(path) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- this machine ---


def test_the_tools_of_this_machine_with_the_versions_that_dpkg_names() -> None:
    """Also what a program is made of: the compiler proper, the linker, libraries."""
    found = toolchain_of(SystemProcesses())
    assert {"make", "gcc-12", "cpp-12", "binutils-x86-64-linux-gnu", "flex", "bison", "bc", "perl-base"} <= found.keys()
    assert {"libelf-dev", "linux-source-6.1", "libc6", "libmpfr6", "mawk", "dash", "gzip"} <= found.keys()
    command = ["dpkg-query", "--show", "--showformat=${Version}\n", *found]
    shown = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    assert shown == list(found.values())


def test_the_packages_that_own_what_is_in_an_initramfs(tmp_path: Path) -> None:
    """dpkg knows some files below /usr and some not; modules of Python have other names in the initramfs."""
    paths = (
        "usr/bin/tar", "usr/sbin/mke2fs", "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/python3.11/json/decoder.pyc",
        "usr/lib/python3.11/os.pyc", "usr/lib/python3.11/_ctypes.so", "usr/lib/python3.11/gprov/nothing.pyc", "etc/own",
    )  # fmt: skip
    initramfs = Initramfs(b"", 0, (), tuple(regular(path, b"") for path in paths))
    found = inputs_here(SystemProcesses(), CHOICES, {}, initramfs, {})
    owners = {"tar", "e2fsprogs", "libc6", "libpython3.11-minimal", "libpython3.11-stdlib"}
    assert found.packages.keys() == owners
    source = subprocess.run(
        ["sha256sum", "/usr/src/linux-source-6.1.tar.xz"], capture_output=True, check=True, text=True
    ).stdout
    assert found.source == source[:64]
