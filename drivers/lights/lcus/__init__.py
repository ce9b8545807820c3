"""Relay boards of the LCUS family."""
