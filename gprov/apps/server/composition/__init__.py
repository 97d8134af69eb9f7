"""Parts of the composition root of the factory server."""
