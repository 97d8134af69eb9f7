"""Dialogs as state machines: a state has a view, and an input leads to the next state or to the answer."""
