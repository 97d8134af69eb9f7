"""The display model: what displays and consoles of a unit show, how it is drawn, and what keys do. No I/O, no clock."""
