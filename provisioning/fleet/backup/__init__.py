"""The fleet as one encrypted file, and back: docs/fleet.md, "Backup and restore"."""
