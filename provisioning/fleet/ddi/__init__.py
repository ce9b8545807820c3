"""hawkBit's Direct Device Integration: how terminals, and stock clients, hear of software and tell how it went."""
