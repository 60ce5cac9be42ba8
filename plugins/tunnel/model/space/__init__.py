"""Tunnels in space: chainage along the axis, cross sections and what lies in them, longitudinal profiles."""
