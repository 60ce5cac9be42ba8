"""The roles of the product, as plugins on the same contract that third parties use."""
