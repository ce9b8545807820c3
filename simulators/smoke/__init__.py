"""A resident goes through all three services on the real stack, and everything is judged from outside."""
