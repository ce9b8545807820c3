"""Values only: what the kiosk talks about, with no IO and nothing but the standard library."""
