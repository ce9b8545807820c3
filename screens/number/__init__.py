"""A number that is typed: a count, a seal. Never a PIN."""
