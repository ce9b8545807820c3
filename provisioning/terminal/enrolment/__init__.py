"""A bare terminal becomes this terminal, and keeps its certificate."""
