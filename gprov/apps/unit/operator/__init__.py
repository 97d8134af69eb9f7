"""Interaction with a person at the unit's displays and consoles."""
