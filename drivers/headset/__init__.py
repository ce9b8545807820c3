"""Whether somebody listens by headset."""
