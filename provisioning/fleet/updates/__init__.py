"""Which software terminals may run: a TUF repository of files, signed by two people and kept fresh by the server."""
