"""The terminal's side of the fleet: who it is, how it is to be, which software it runs, and how it is doing."""
