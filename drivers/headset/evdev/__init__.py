"""Jacks that the kernel reports as switches of an input device."""
