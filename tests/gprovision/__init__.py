"""Units as gprovision leaves them: what is on their volumes, for the simulated machine and for virtual machines.

Source of names, layouts, menus and modes: gprovision, pkg/recovery/disk (bootable.go, disk.go, fs.go), pkg/oss/stash,
pkg/hw/uefi/boot.go, pkg/recovery/history, pkg/mfg/manuf.go.
"""
