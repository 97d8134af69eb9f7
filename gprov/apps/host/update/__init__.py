"""Tools of an owner who updates units over the air."""
