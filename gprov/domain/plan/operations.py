"""What can be done to a machine, as values. Planners make them, one executor runs them.

The failure of an operation is fatal unless it says ``required=False``. Paths are absolute in the view of the running
initramfs (``gprov.domain.mountpoints``). Sizes and offsets are bytes.
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
    SetFlag,
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
    | WriteFile
    | CopyFile
    | CopyKernel
    | MakeSymlink
    | RemovePath
    | UpdateBootEntries
    | FlushVolume
    | SetFlag
)

Plan = tuple[Operation, ...]
