"""Load on a factory server: units as clients, the server as a process that may be killed, and what is left in its
store."""
