"""The forwarder's process: what hosts are owed, and what it tells whoever asks."""
