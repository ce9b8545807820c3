"""One resident's service per file, read top to bottom. Nothing here knows a device, a host's wire or a widget."""
