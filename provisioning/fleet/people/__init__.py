"""People of the fleet: who they are, how they sign in, and which roles they hold where."""
