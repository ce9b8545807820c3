"""The seal verifier: ``ProcessSealVerifier`` in the kiosk, ``python -m kiosk.hosts.seal`` for each document."""

from kiosk.hosts.seal.verifier import ProcessSealVerifier, expectation

__all__ = ["ProcessSealVerifier", "expectation"]
