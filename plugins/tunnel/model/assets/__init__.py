"""What there is: assets with their states, where they come from, labels for them, and whom they serve."""
