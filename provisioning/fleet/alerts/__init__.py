"""Alerts: what wants a person, who is told, and who took it."""
