"""The Debian package of a terminal: ``python -m image.package``. One folder under /usr/lib, one command, units."""
