"""Encrypted connections of the factory server: its own CA, certificates, TLS contexts."""
