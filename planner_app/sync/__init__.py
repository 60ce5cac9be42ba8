"""Projects and the city server: registering, cloning, pulling, merging, pushing. No Qt."""
