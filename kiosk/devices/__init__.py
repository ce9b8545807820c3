"""Device slots, and what attends a device while it is open. Drivers themselves live in ``drivers/``."""
