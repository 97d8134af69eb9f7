"""Making a data folder of the factory server, checking one, and taking over one of gprovision."""
