"""The C half of the simulators: a loopback shim for vpcd, and a stand-in for the LD/T 33 vendor library."""
