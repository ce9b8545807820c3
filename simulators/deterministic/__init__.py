"""The whole kiosk in memory, from a seed, at any speed. See README.md of ``simulators`` and ADR 20.

The only part of ``simulators`` beside the benches that knows the terminal: it composes the real session, services,
drivers, codecs, clients and journal with the real device simulators and sandboxes, and puts chance, time, wires, cards,
hosts and the disk under one seed.
"""
