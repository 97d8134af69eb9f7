"""``gprov build contents`` and ``gprov build compare``: what is in an initramfs, and what distinguishes two."""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from typing import Annotated

import typer

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.initramfs.compare import Comparison, Kind, compare
from gprov.apps.host.initramfs.cpio import Node
from gprov.apps.host.initramfs.cpio_read import read_archive
from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.domain.errors import BadInput, ExitCode, Problem, ToolFailed, ToolMissing
from gprov.ports.process import Processes

_ZSTD = b"\x28\xb5\x2f\xfd"
Archive = Annotated[str, typer.Argument(metavar="FILE", help="cpio archive, plain or compressed with zstd")]
All = Annotated[bool, typer.Option("--all", help="also list each difference that is one of versions")]


def attach(app: typer.Typer) -> None:
    app.command("contents")(contents)
    app.command("compare")(compare_archives)


def contents(archive: Archive, as_json: Json = False) -> int:
    """List an initramfs: type and permissions, size, SHA-256 of files, path."""
    nodes = _nodes(archive, SystemProcesses())
    if as_json:
        document({"nodes": [_node(each) for each in nodes]})
        return ExitCode.DONE
    for each in nodes:
        digest = _digest(each)
        target = f" -> {_target(each)}" if stat.S_ISLNK(each.mode) else ""
        size = f"{each.device[0]}, {each.device[1]}" if _is_device(each) else str(len(each.content))
        say(f"{stat.filemode(each.mode)} {size:>9} {digest or '-':64} /{each.path}{target}")
    return ExitCode.DONE


def compare_archives(first: Archive, second: Archive, everything: All = False, as_json: Json = False) -> int:
    """Compare two initramfs of the same freeze specification, such as the host's and Buildroot's. docs/how-to/build.md
    says which differences are those of versions.

    Exit status 1 if there are others.
    """
    processes = SystemProcesses()
    result = compare(_nodes(first, processes), _nodes(second, processes), (first, second))
    if as_json:
        rows = [
            {"path": f"/{each.path}", "due_to": each.kind.value, "text": each.message} for each in result.differences
        ]
        document({"same": result.same, "faults": len(result.faults), "differences": rows})
    else:
        for line in _lines(result, everything=everything):
            say(line)
    return ExitCode.NEGATIVE if result.faults else ExitCode.DONE


def _lines(result: Comparison, *, everything: bool) -> list[str]:
    lines = [f"/{each.path}: {each.message}" for each in result.faults]
    versions = [each for each in result.differences if each.kind is not Kind.SPECIFIED]
    if everything:
        lines += [f"/{each.path}: {each.message} ({each.kind.value})" for each in versions]
    counts = Counter(each.kind for each in versions)
    lines += [f"{counts[kind]:>6}  differ as versions do: {kind.value}" for kind in Kind if counts[kind]]
    return [*lines, f"{result.same:>6}  same", f"{len(result.faults):>6}  other differences"]


def _nodes(path: str, processes: Processes) -> tuple[Node, ...]:
    content = read_file(path)
    if content.startswith(_ZSTD):
        if processes.which("zstd") is None:
            raise ToolMissing("zstd", "apt-get install zstd")
        try:
            content = processes.run(("zstd", "--decompress", "--stdout", "--quiet"), stdin=content).output
        except ToolFailed as exc:
            raise BadInput(path, [Problem("", "is damaged: zstd cannot decompress it")]) from exc
    return read_archive(content, path)


def _node(each: Node) -> dict[str, object]:
    return {
        "path": f"/{each.path}",
        "mode": stat.filemode(each.mode),
        "size": len(each.content),
        "sha256": _digest(each),
        "target": _target(each) if stat.S_ISLNK(each.mode) else None,
        "device": list(each.device) if _is_device(each) else None,
    }


def _digest(each: Node) -> str | None:
    return hashlib.sha256(each.content).hexdigest() if stat.S_ISREG(each.mode) else None


def _target(each: Node) -> str:
    return each.content.decode(errors="surrogateescape")


def _is_device(each: Node) -> bool:
    return stat.S_ISCHR(each.mode) or stat.S_ISBLK(each.mode)
