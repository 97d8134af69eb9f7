"""Ports that destroy data irrecoverably: whole disks, file systems, arrays, the tree of a root volume, firmware
variables. Only the executor calls them, through ``DestructivePorts`` (gprov.apps.unit.execution.destructive_ports).

Files on mounted volumes (``Files``) are replaced atomically, and file-system checks repair; neither belongs here.
"""
