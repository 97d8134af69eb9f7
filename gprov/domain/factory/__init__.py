"""What units and the factory server say to each other, and the rules by which the server decides."""
