"""What a resident hears: the script of a question, and the voice that reads it."""
