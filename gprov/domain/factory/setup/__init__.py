"""Content of a new data folder of the factory server. Pure."""
