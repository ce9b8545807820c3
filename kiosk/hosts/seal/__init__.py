"""The seal verifier: ``verifier.ProcessSealVerifier`` in the kiosk, ``python -m kiosk.hosts.seal`` per document."""
