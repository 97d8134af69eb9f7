"""Simulated Crystalfontz displays: the device's side of the protocol, with faults to inject."""
