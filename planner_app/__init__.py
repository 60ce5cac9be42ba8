"""规建管一体化: the planning desktop. See README.md for the layers and what may import what."""

__version__ = "0.1.0"
