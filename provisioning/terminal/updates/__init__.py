"""New software on a terminal: what may be installed (TUF), when (DDI), how it comes, and how it is taken back."""
