"""Mark-up on map and sheet with one set of tools."""
