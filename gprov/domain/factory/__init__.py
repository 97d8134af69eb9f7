"""Messages between units and the factory server, and the rules by which the server decides."""
