"""Every counterpart alone, because integrators need them one at a time."""
