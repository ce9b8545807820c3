"""A fleet that was restored: believed again by a new epoch, and told by its terminals what it forgot."""
