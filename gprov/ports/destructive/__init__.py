"""Ports that can destroy data which no other part of a unit can restore: whole disks, file systems, arrays, the tree of
a root volume, firmware variables. Only the executor calls them, through ``DestructivePorts``
(gprov.apps.unit.execution.destructive_ports).

Not here: files on mounted volumes (``Files``), which are replaced atomically, and checks of file systems, which repair.
"""
