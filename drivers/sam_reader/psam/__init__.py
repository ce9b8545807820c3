"""A PSAM in any PC/SC slot."""
