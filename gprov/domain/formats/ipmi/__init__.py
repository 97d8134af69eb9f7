"""Messages of IPMI 2.0, without any policy."""
