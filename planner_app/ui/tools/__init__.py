"""Map tools: what the mouse and keys do on the map."""
