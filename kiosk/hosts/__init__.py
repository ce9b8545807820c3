"""Clients of the outside systems: one folder each, a codec without IO and a client over ``link.HttpsHostLink``."""
