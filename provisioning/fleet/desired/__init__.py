"""Settings of a city's terminals: layers by place and profile, versions, and the document that each terminal gets."""
