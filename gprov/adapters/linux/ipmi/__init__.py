"""The management controller of the unit, through the OpenIPMI device."""
