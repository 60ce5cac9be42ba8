"""Planning conditions (规划条件) of a parcel: from the detailed-zoning layer or entered, and printed."""
