"""The acquirer: ISO 8583 over TLS, with the bank application of the card. See docs/hosts/bank.md."""
