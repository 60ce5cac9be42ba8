"""What happens in a tunnel if gas leaks, a fire breaks out, water comes in or the power fails: a screening (初判)."""
