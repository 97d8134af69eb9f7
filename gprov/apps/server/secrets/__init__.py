"""Passwords of units, the key that encrypts them, and the audit trail."""
