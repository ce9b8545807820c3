"""Commands to terminals: sent by one person or two, told with the poll, answered once."""
