"""A page a file: what it asks the fleet, and what its forms do."""
