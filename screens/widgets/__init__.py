"""Icons and marks, drawn in code."""
