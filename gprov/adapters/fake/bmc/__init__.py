"""A simulated management controller (BMC): accounts, LAN channels, event log, inventory, identify light."""
