"""The unit's management controller (BMC): what is read of it, and which of its accounts becomes the unit's."""
