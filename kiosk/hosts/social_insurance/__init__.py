"""The agency's business system: accounts, contributions, benefits, sealed certificates."""
