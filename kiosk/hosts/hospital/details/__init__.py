"""Details of days that are over, by which the terminal reconciles."""
