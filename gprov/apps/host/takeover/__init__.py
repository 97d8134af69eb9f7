"""Taking over units of gprovision."""
