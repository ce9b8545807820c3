"""The settings, table by table, with what must hold of them."""
