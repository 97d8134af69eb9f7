"""How fast is a frozen /init at its first own statement? Flat sourceless bytecode against PyInstaller's folder.

Both freeze the same entry (import of gprov.apps.init.main), and are started alternately in the same run, by chroot
into the initramfs tree and from PyInstaller's folder. Needs root. With ``--kernel`` both are also started inside a
virtual machine (QEMU TCG), where the processor is slow and every page is cold at first.

    python -m benchmarks.freeze_startup [--rounds 20] [--kernel norm_boot]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.closure import module_search_path
from gprov.apps.host.initramfs.cpio import archive, folder, regular, symlink
from gprov.apps.host.initramfs.initramfs import INTERPRETER, assemble
from gprov.apps.host.initramfs.libraries import Libraries
from gprov.apps.host.initramfs.parts import Part, PartKind
from gprov.apps.host.initramfs.rootfs import RootTree
from gprov.apps.host.initramfs.spec import Flavor, FreezeSpec, parse_spec

CHECKOUT = Path(__file__).parents[1]
BENCHMARK = Part(PartKind.OTHER, "benchmark")
PROCESSES = SystemProcesses()
ENTRY = "import gprov.apps.init.main\n"
FLAT = (INTERPRETER, "-ISB", "/entry.py")
FROZEN = "/frozen/entry"
GUEST = """#!/usr/bin/python3.11 -ISB
import os, time
def start(*command):
    begin = time.monotonic()
    child = os.fork()
    if not child:
        os.execv(command[0], command)
    assert os.waitpid(child, 0)[1] == 0
    return time.monotonic() - begin
for _ in range(ROUNDS):
    print("SAMPLE", start(*FLAT), start(FROZEN), flush=True)
os.execv("/usr/bin/busybox", ("busybox", "poweroff", "-f"))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="starts of each")
    parser.add_argument("--kernel", metavar="FILE", help="any bzImage built by gprov")
    args = parser.parse_args()
    text = (CHECKOUT / "buildroot/initramfs.toml").read_text()
    spec = parse_spec(text, Flavor.NORMAL)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        frozen = pyinstaller(spec, work)
        tree = assemble(spec, str(CHECKOUT / "buildroot"), module_search_path())
        tree.add(regular("entry.py", ENTRY.encode()), BENCHMARK)
        add_frozen(tree, frozen)
        root = work / "root"
        root.mkdir()
        content = archive(tree.finish())
        PROCESSES.run(("cpio", "--extract", "--quiet"), stdin=content, cwd=str(root))
        sizes(root)
        print_ratio("native", native(root, args.rounds))
        if args.kernel:
            print_ratio("QEMU TCG", emulated(tree, args.kernel, work))


def pyinstaller(spec: FreezeSpec, work: Path) -> Path:
    """Freeze the entry with the same closure, into a folder."""
    entry = work / "entry.py"
    entry.write_text(ENTRY)
    hidden = [word for name in (*spec.modules, *spec.packages) for word in ("--hidden-import", name)]
    command = (
        sys.executable, "-m", "PyInstaller", "--onedir", "--noconfirm", "--log-level", "ERROR", "--strip",
        "--optimize", "2", "--paths", str(CHECKOUT), "--distpath", str(work / "dist"),
        "--workpath", str(work / "build"), "--specpath", str(work), "--collect-submodules", "gprov.apps.init",
        *hidden, *(word for name in ("tkinter", "unittest", "test") for word in ("--exclude-module", name)),
        str(entry),
    )  # fmt: skip
    PROCESSES.run(command, env={"HOME": str(work)}, timeout=1200)
    return work / "dist/entry"


def add_frozen(tree: RootTree, frozen: Path) -> None:
    tree.add(folder("frozen"), BENCHMARK)
    libraries = Libraries()
    for path in sorted(frozen.rglob("*")):
        name = f"frozen/{path.relative_to(frozen)}"
        if path.is_symlink():
            tree.add(symlink(name, os.readlink(path)), BENCHMARK)
        elif path.is_file():
            tree.add(regular(name, path.read_bytes(), 0o755), BENCHMARK)
    libraries.add_dependencies_of(str(frozen / "entry"))
    for target, source in libraries.files().items():
        tree.add(regular(target, Path(source).read_bytes(), 0o755), BENCHMARK)


def sizes(root: Path) -> None:
    def size(*folders: str) -> float:
        files = (path for name in folders for path in (root / name).rglob("*"))
        return sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink()) / 1e6

    flat = size("usr/lib/python3.11") + (root / INTERPRETER[1:]).stat().st_size / 1e6
    print(f"interpreter and modules: flat {flat:.1f} MB, PyInstaller {size('frozen'):.1f} MB")


def native(root: Path, rounds: int) -> list[tuple[float, float]]:
    def start(*command: str) -> float:
        begin = time.monotonic()
        PROCESSES.run(("chroot", str(root), *command))
        return time.monotonic() - begin

    start(*FLAT), start(FROZEN)  # both from the page cache
    return [(start(*FLAT), start(FROZEN)) for _ in range(rounds)]


def emulated(tree: RootTree, kernel: str, work: Path) -> list[tuple[float, float]]:
    script = GUEST.replace("ROUNDS", "6").replace("FLAT", repr(FLAT)).replace("FROZEN", repr(FROZEN))
    nodes = [node for node in tree.finish() if node.path != "init"]
    overlay = work / "overlay.cpio"
    overlay.write_bytes(archive([*nodes, regular("init", script.encode(), 0o755)]))
    command = (
        "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "2048", "-nodefaults", "-nographic",
        "-no-reboot", "-serial", "stdio", "-kernel", kernel, "-initrd", str(overlay),
        "-append", "console=ttyS0 quiet panic=-1 no_timer_check",
    )  # fmt: skip
    console = PROCESSES.run(command, timeout=600).output.decode(errors="replace")
    lines = (line.split("SAMPLE", 1)[1].split() for line in console.splitlines() if "SAMPLE" in line)
    return [(float(flat), float(frozen)) for flat, frozen in lines]


def print_ratio(where: str, samples: list[tuple[float, float]]) -> None:
    flat = statistics.median(sample[0] for sample in samples)
    frozen = statistics.median(sample[1] for sample in samples)
    first = samples[0]
    print(
        f"{where}: flat {flat * 1e3:.0f} ms, PyInstaller {frozen * 1e3:.0f} ms, ratio {frozen / flat:.2f}"
        f" (first start: {first[0] * 1e3:.0f}, {first[1] * 1e3:.0f} ms)"
    )


if __name__ == "__main__":
    main()
