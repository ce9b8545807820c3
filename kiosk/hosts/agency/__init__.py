"""The agency's duty desk."""
