"""What stands around the work: header, question, answers of the act zone, care bar, idle warning."""
