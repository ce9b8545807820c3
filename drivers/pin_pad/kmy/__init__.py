"""The KMY / SUNSON / GZ-B family of metal PIN pads: one command set under many names."""
