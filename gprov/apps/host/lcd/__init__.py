"""A simulated display on a pseudo-terminal or socket, drawn in a terminal, driven by scripts and tests."""
