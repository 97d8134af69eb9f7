"""Decisions on clients of the factory server that send or hold too much. Pure."""
