"""The card side: APDUs, reader, PSAM and PIN entry against a virtual card behind a real pcscd."""
