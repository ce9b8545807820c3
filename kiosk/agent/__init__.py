"""The agent's process, and in the kiosk what answers it."""
