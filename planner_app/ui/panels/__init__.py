"""What stands in the window's own places: layers, attribute table, feature form, history, jobs."""
