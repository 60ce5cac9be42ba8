"""As-built surveys against the approved drawing (竣工核实), and the base map they update."""
