"""Residents and staff are served by the real stack, and everything is judged from outside."""
