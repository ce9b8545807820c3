"""Drivers of the slot ``sam_reader``."""
