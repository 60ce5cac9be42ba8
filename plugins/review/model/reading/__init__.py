"""What a drawing means: layer convention, site-plan region, units, repairs, elements of a site plan, declared table."""
