"""What people of the fleet type: one file for each command."""
