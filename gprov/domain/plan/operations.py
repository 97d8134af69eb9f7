"""Operations: values that describe changes to the machine. Planners create them, the executor runs them.

A failed operation stops the plan unless it has ``required=False``. Paths are absolute in the initramfs
(``gprov.domain.mountpoints``). Sizes and offsets are bytes.
"""

from __future__ import annotations

from gprov.domain.plan.disk_operations import (
    ClearDisk,
    CreateArray,
    CreatePartitionTable,
    DismantleArrays,
    ExtractImage,
    FlushVolume,
    MakeFileSystem,
    MountVolume,
    StopArray,
    UnmountVolume,
    UpdateBootEntries,
)
from gprov.domain.plan.file_operations import (
    CopyFile,
    CopyKernel,
    FetchFile,
    MakeFolder,
    MakeSymlink,
    RemovePath,
    ReplacePlainText,
    SetFlag,
    SetOwner,
    WriteFile,
)

Operation = (
    ClearDisk
    | CreatePartitionTable
    | DismantleArrays
    | CreateArray
    | StopArray
    | MakeFileSystem
    | MountVolume
    | UnmountVolume
    | ExtractImage
    | FetchFile
    | MakeFolder
    | SetOwner
    | WriteFile
    | CopyFile
    | CopyKernel
    | MakeSymlink
    | RemovePath
    | ReplacePlainText
    | UpdateBootEntries
    | FlushVolume
    | SetFlag
)

Plan = tuple[Operation, ...]
