"""The fleet's side: one process or many behind nginx, on SQLite or PostgreSQL."""
