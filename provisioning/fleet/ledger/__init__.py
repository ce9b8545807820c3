"""The agency's copy of every journal, so that a stolen or dead terminal takes no evidence with it."""
