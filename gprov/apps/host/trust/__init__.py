"""Tools of an owner of units: signing images, and the trust chain."""
