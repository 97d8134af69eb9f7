"""Runs operations that need only the files port."""

from __future__ import annotations

from typing import assert_never

from gprov.domain.plan.disk_operations import FlushVolume
from gprov.domain.plan.file_operations import (
    CopyFile,
    CopyKernel,
    MakeFolder,
    MakeSymlink,
    RemovePath,
    ReplacePlainText,
    SetFlag,
    SetOwner,
    WriteFile,
)
from gprov.ports.files import Files

FileOperation = (
    MakeFolder
    | SetOwner
    | WriteFile
    | CopyFile
    | CopyKernel
    | MakeSymlink
    | RemovePath
    | ReplacePlainText
    | FlushVolume
    | SetFlag
)


def perform_on_files(files: Files, operation: FileOperation) -> None:
    """Run an operation that needs only the files port."""
    match operation:
        case MakeFolder() | SetOwner():
            _perform_on_folder(files, operation)
        case WriteFile():
            files.replace(operation.path, operation.content, mode=operation.mode, owner=operation.owner)
        case CopyFile():
            files.copy(operation.source, operation.target, mode=operation.mode)
        case CopyKernel():
            _copy_kernel(files, operation)
        case ReplacePlainText():
            _replace_plain_text(files, operation)
        case MakeSymlink():
            files.symlink(operation.text, operation.path)
        case RemovePath():
            files.remove(operation.path)
        case FlushVolume():
            files.sync(operation.target)
        case SetFlag():
            files.replace(operation.path, b"", mode=0o444)
        case _:
            assert_never(operation)


def _copy_kernel(files: Files, operation: CopyKernel) -> None:
    for target in operation.targets:
        files.copy(operation.source, target, mode=0o755)
        files.sync(target.rpartition("/")[0])


def _replace_plain_text(files: Files, operation: ReplacePlainText) -> None:
    folder = operation.path.rpartition("/")[0]
    files.make_folder(folder, mode=0o700)
    files.replace(operation.path, operation.content, mode=0o600)
    files.sync(folder)
    files.remove(operation.plain_text)


def _perform_on_folder(files: Files, operation: MakeFolder | SetOwner) -> None:
    match operation:
        case MakeFolder():
            files.make_folder(operation.path, mode=operation.mode, owner=operation.owner)
        case SetOwner():
            files.set_owner(operation.path, operation.owner)
        case _:
            assert_never(operation)
