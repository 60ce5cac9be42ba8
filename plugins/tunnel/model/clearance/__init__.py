"""Clearances between pipes, tunnels, planned construction and buildings, by clause; protection and control zones."""
