"""Pages for people: units live, one unit, searches, figures. Rendered on the server; they work without JavaScript."""
