"""One exception for all codecs of cash modules. No IO: codecs import it."""


class Unreadable(Exception):
    """An answer whose frame is whole and whose content cannot be. Its text says which, never what it held."""
