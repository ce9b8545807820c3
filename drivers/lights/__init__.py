"""Lamps at the places where hands go."""
