"""Software modules, sets of them, and who is to get which: the part behind DDI and its management interface."""
