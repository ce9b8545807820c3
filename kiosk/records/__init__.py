"""What this terminal kept, for whoever asks: its books, its rows by a stick, its figures."""
