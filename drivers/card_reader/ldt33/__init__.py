"""A reader reached through its maker's LD/T 33 library."""
