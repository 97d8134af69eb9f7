"""The order of work and the honesty of the cache, with a toolchain that only pretends to compile."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
from typing_extensions import override

from gprov.apps.host.initramfs.cache import Cache
from gprov.apps.host.initramfs.kconfig import parse_fragment
from gprov.apps.host.initramfs.kernel import KernelBuilder, KernelFiles, KernelInputs, version_text
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.domain.errors import BadInput, IntegrityFault, ToolFailed
from gprov.ports.process import Completed, Processes, Running


class Toolchain(Processes):
    """Understands the commands of a kernel build. ``compiled`` counts the symbols that were compiled, tree by tree."""

    def __init__(self) -> None:
        self.unknown = ""  # a symbol that Kconfig does not know
        self.broken = False
        self.stale = False  # links what was linked before
        self.stale_release = False
        self.has_depmod = True
        self.installed = 0
        self.compiled: list[int] = []
        self.compiler = "gcc 12.2"

    @override
    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 300.0,
        check: bool = True,
    ) -> Completed:
        output = b""
        match list(argv):
            case [_, "--version"]:
                output = f"{self.compiler}\nmore\n".encode()
            case ["dpkg-query", *_]:
                output = b"6.1.1-1"
            case ["tar", "-xf", _, "-C", folder]:
                Path(folder, "linux-source-6.1").mkdir()
            case ["cp", "-a", _, source, target]:
                shutil.copytree(source, target)
            case ["make", "-s", "-C", work, path, *_, "modules_install"]:
                self._install(Path(work), Path(path.removeprefix("INSTALL_MOD_PATH=")))
            case ["make", *_, "allnoconfig"]:
                work = next(word for word in argv if word.startswith("O=")).removeprefix("O=")
                lines = Path(work, "fragment.config").read_text().splitlines(keepends=True)
                known = [line for line in lines if not (self.unknown and self.unknown in line)]
                Path(work, ".config").write_text("".join(known))
                symbols = re.findall(r"CONFIG_(\w+)", "".join(known))
                Path(argv[3], "Kconfig").write_text("".join(f"config {symbol}\n" for symbol in symbols))
            case _:
                raise AssertionError(argv)
        return Completed(0, output, b"")

    @override
    @contextmanager
    def start(
        self,
        argv: Sequence[str],
        *,
        feed: bool = False,
        log: str | None = None,
        most: int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Iterator[Running]:
        assert log is not None
        assert env is not None
        work = Path(argv[argv.index("-C") + 1])
        Path(log).write_text("  CC      a.o\nerror: no\n")
        if not self.broken:
            suffix = next((word.removeprefix("LOCALVERSION=") for word in argv if "LOCALVERSION" in word), "")
            (work / "suffix").write_text("" if self.stale_release else suffix)
            self._compile(work, "0" if self.stale else env["KBUILD_BUILD_VERSION"])
        yield Ended(2 if self.broken else 0)

    def _compile(self, work: Path, number: str) -> None:
        wanted = (work / ".config").read_text().splitlines()
        objects = {line for line in wanted if not (work / f"{line}.o").exists()}
        for line in objects:
            (work / f"{line}.o").touch()
        self.compiled.append(len(objects))
        (work / "usr").mkdir(exist_ok=True)
        (work / "usr/initramfs_inc_data").write_bytes((work / "initramfs.cpio.zst").read_bytes())
        boot = work / "arch/x86/boot"
        boot.mkdir(parents=True, exist_ok=True)
        (boot / "bzImage").write_bytes(bzimage(f"{self._release(work)} (gprov@gprov) #{number} SMP"))

    def _release(self, work: Path) -> str:
        return "6.1.1-gprov" + (work / "suffix").read_text()

    def _install(self, work: Path, usr: Path) -> None:
        self.installed += 1
        folder = usr / "lib/modules" / self._release(work)
        (folder / "kernel").mkdir(parents=True)
        (folder / "kernel/a.ko").touch()
        for name in ("build", "source"):
            (folder / name).symlink_to(work)
        if self.has_depmod:
            (folder / "modules.dep").touch()

    @override
    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}"


class Ended(Running):
    def __init__(self, status: int) -> None:
        self._status = status

    @property
    @override
    def pid(self) -> int:
        return 1

    @property
    @override
    def stdin(self) -> BinaryIO:
        raise AssertionError

    @override
    def wait(self, timeout: float) -> Completed:
        return Completed(self._status, b"", b"")

    @override
    def poll(self) -> int | None:
        return self._status

    @override
    def kill(self) -> None: ...


def bzimage(version: str) -> bytes:
    return bytes(0x20E) + (0x100).to_bytes(2, "little") + bytes(0xF0) + version.encode() + b"\0"


@pytest.fixture
def toolchain() -> Toolchain:
    return Toolchain()


@pytest.fixture
def builder(toolchain: Toolchain, tmp_path: Path) -> KernelBuilder:
    return KernelBuilder(toolchain, Cache(str(tmp_path)), BuildProgress(io.StringIO(), lambda: 0.0), 2)


def inputs(
    fragment: str = "CONFIG_A=y\nCONFIG_B=y\n",
    initramfs: bytes = b"archive",
    number: int = 7,
    *,
    modules: bool = False,
    toolchain: Mapping[str, str] | None = None,
) -> KernelInputs:
    settings = parse_fragment(fragment, "base")
    return KernelInputs(
        settings=settings, initramfs=initramfs, number=number, modules=modules, toolchain=toolchain or {}
    )


def kept(root: Path, kind: str) -> list[str]:
    return sorted(os.listdir(root / kind)) if (root / kind).exists() else []


def test_version_text() -> None:
    assert version_text(bzimage("6.1 #3")) == "6.1 #3"
    assert version_text(b"short") == ""


def test_same_inputs_are_built_once(builder: KernelBuilder, toolchain: Toolchain, tmp_path: Path) -> None:
    first = builder.build(inputs())
    assert "#7 " in version_text(Path(first.image).read_bytes())
    assert builder.build(inputs("# other words\nCONFIG_B=y\n\nCONFIG_A=y\n")) == first
    assert len(toolchain.compiled) == 1
    assert kept(tmp_path, "work") == []


class Impatient(io.StringIO):
    """Fails where a build would wait."""

    @override
    def write(self, text: str) -> int:
        assert "waiting" not in text
        return super().write(text)


def test_a_cached_kernel_does_not_wait_for_another_build(toolchain: Toolchain, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    builder = KernelBuilder(toolchain, cache, BuildProgress(Impatient(), lambda: 0.0), 2)
    first = builder.build(inputs())
    with cache.lock("kernel", lambda: None):
        assert builder.build(inputs()) == first
        with pytest.raises(AssertionError):
            builder.build(inputs(number=8))


@pytest.mark.parametrize("other", [inputs(number=8), inputs(initramfs=b"another")], ids=["number", "initramfs"])
def test_another_number_or_initramfs_only_links(
    builder: KernelBuilder, toolchain: Toolchain, other: KernelInputs
) -> None:
    assert builder.build(inputs()) != builder.build(other)
    assert toolchain.compiled == [2, 0]


def test_another_configuration_starts_from_the_nearest_tree(
    builder: KernelBuilder, toolchain: Toolchain, tmp_path: Path
) -> None:
    builder.build(inputs())
    builder.build(inputs("CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n"))
    assert toolchain.compiled == [2, 1]
    assert len(kept(tmp_path, "trees")) == 2


def test_another_compiler_starts_from_nothing(builder: KernelBuilder, toolchain: Toolchain) -> None:
    builder.build(inputs())
    toolchain.compiler = "gcc 13"
    builder.build(inputs())
    assert toolchain.compiled == [2, 2]


TOOLS = {"bison": "3.8", "make": "4.3"}


def test_a_recorded_build_never_starts_from_another_configuration_or_other_tools(
    builder: KernelBuilder, toolchain: Toolchain
) -> None:
    """Whatever is in the cache, it compiles what a build with an empty cache compiles."""
    builder.build(inputs())
    builder.build(inputs(toolchain=TOOLS))
    builder.build(inputs("CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n", toolchain=TOOLS))
    builder.build(inputs(toolchain={**TOOLS, "make": "4.4"}))
    assert toolchain.compiled == [2, 2, 3, 2]


def test_a_recorded_build_links_again_what_the_same_record_compiled(
    builder: KernelBuilder, toolchain: Toolchain
) -> None:
    builder.build(inputs(toolchain=TOOLS))
    assert builder.build(inputs(toolchain=TOOLS)) == builder.build(inputs(toolchain=TOOLS))
    builder.build(inputs(toolchain=TOOLS, number=8))
    assert toolchain.compiled == [2, 0]


def test_symbol_that_is_unknown_to_kconfig(builder: KernelBuilder, toolchain: Toolchain, tmp_path: Path) -> None:
    toolchain.unknown = "CONFIG_B"
    with pytest.raises(BadInput, match="CONFIG_B"):
        builder.build(inputs())
    assert toolchain.compiled == []
    assert kept(tmp_path, "trees") == kept(tmp_path, "kernels") == []


def test_failed_compilation_keeps_nothing_but_the_log(
    builder: KernelBuilder, toolchain: Toolchain, tmp_path: Path
) -> None:
    toolchain.broken = True
    with pytest.raises(ToolFailed, match=str(tmp_path / "log")) as caught:
        builder.build(inputs())
    assert "error: no" in caught.value.details()
    assert kept(tmp_path, "trees") == kept(tmp_path, "kernels") == []
    toolchain.broken = False
    builder.build(inputs())


def test_stale_kernel_is_not_taken_for_a_new_one(builder: KernelBuilder, toolchain: Toolchain, tmp_path: Path) -> None:
    toolchain.stale = True
    with pytest.raises(IntegrityFault, match="expected build #7"):
        builder.build(inputs())
    assert kept(tmp_path, "kernels") == []


def test_sources_may_be_deleted_while_trees_are_kept(builder: KernelBuilder, tmp_path: Path) -> None:
    builder.build(inputs())
    shutil.rmtree(tmp_path / "sources")
    builder.build(inputs(number=8))
    assert len(kept(tmp_path, "sources")) == 1


def release(files: KernelFiles) -> str:
    return version_text(Path(files.image).read_bytes()).partition(" ")[0]


def module_tree(files: KernelFiles) -> Path:
    assert files.modules is not None
    [folder] = (Path(files.modules) / "usr/lib/modules").iterdir()
    return folder


def test_modules_are_of_exactly_this_kernel(builder: KernelBuilder) -> None:
    """Another build number or configuration is another release, of which the kernel loads no module."""
    builds = [
        builder.build(inputs(modules=True)),
        builder.build(inputs(modules=True, number=8)),
        builder.build(inputs("CONFIG_A=y\nCONFIG_B=m\n", modules=True)),
    ]
    assert [module_tree(files).name for files in builds] == [release(files) for files in builds]
    assert len({release(files) for files in builds}) == 3
    assert release(builds[0]).startswith("6.1.1-gprov.7.")
    assert sorted(path.name for path in module_tree(builds[0]).iterdir()) == ["kernel", "modules.dep"]


def test_a_kernel_without_modules_has_the_plain_release(builder: KernelBuilder) -> None:
    files = builder.build(inputs())
    assert (release(files), files.modules) == ("6.1.1-gprov", None)


def test_modules_are_installed_once_for_all_initramfs(builder: KernelBuilder, toolchain: Toolchain) -> None:
    normal = builder.build(inputs(modules=True))
    assert builder.build(inputs(modules=True)) == normal
    mfg = builder.build(inputs(modules=True, initramfs=b"mfg"))
    assert (mfg.modules, release(mfg)) == (normal.modules, release(normal))
    assert toolchain.installed == 1


def test_modules_without_an_index_are_refused(builder: KernelBuilder, toolchain: Toolchain, tmp_path: Path) -> None:
    toolchain.has_depmod = False
    with pytest.raises(IntegrityFault, match="depmod of the package kmod did not run"):
        builder.build(inputs(modules=True))
    assert kept(tmp_path, "modules") == []


def test_a_kernel_of_another_release_than_its_modules_is_refused(builder: KernelBuilder, toolchain: Toolchain) -> None:
    toolchain.stale_release = True
    with pytest.raises(IntegrityFault, match=r"expected build #7 of …\.7\."):
        builder.build(inputs(modules=True))
