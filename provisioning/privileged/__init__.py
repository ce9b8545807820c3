"""What runs as root on a terminal, for moments, each in a unit that can do little else (systemd/README.md).

It believes nobody: a wish is one of four words, and what the agent wrote is read as data of an unknown person.
"""
