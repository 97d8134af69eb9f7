"""The destructive ports of one run. Only the executor and composition roots may import this module."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.ports.destructive.array_writer import ArrayWriter
from gprov.ports.destructive.filesystem_maker import FileSystemMaker
from gprov.ports.destructive.image_unpacker import ImageUnpacker
from gprov.ports.destructive.partitioner import Partitioner
from gprov.ports.destructive.variable_writer import VariableWriter


@dataclass(frozen=True, kw_only=True)
class DestructivePorts:
    partitioner: Partitioner
    filesystem_maker: FileSystemMaker
    array_writer: ArrayWriter
    image_unpacker: ImageUnpacker
    variable_writer: VariableWriter
