"""What there is: tunnels, compartments, pipes, valves, sensors, with their forms."""
