"""The drawing itself on the screen: above the map, beside it as a sheet, with marks and comparisons of revisions."""
