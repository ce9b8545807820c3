"""What both sides of the fleet must read alike: shapes and decisions without IO."""
