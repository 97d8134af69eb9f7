"""Finds, in the source of the programs of a unit, every text that they can show: templates with named placeholders.

The runbook (``gprov/apps/host/runbook``) has an entry for each of them.
"""
