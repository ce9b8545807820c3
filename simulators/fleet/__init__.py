"""The fleet's server on this machine, and terminals that ask it: many, cheap, each with an identity of its own."""
