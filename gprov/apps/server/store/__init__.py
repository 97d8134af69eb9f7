"""The store: what units reported, and what is read back from it."""
