"""The factory server: files for units, and what units report."""
