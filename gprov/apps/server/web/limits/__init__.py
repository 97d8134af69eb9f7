"""Bounds for clients of the server: connections, heads, bodies, replies, requests, and lines of the log."""
