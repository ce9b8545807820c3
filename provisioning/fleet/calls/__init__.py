"""Calls for staff: a resident or a page asks for somebody, and somebody takes it."""
