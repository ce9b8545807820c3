"""What each process keeps in memory so that a poll is answered without asking the database."""
