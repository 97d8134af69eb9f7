"""Conversation with a Crystalfontz display: link, start, drawing of differences, meaning of keys. No I/O, no clock."""
