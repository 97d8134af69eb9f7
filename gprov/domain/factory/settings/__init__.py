"""Sections of the factory server's settings, ``server.toml``. Pure."""
