"""The city server on PostgreSQL and PostGIS: its schema, its administration, and the carrier that speaks to it."""
