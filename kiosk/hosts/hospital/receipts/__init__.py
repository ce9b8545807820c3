"""Receipts that wait for their holders at the hospital."""
