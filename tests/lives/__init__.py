"""Lives of a real kiosk: residents pay, and at some moment the process is killed and comes back.

Everything is real but the world outside: the kiosk process with its glass, pcscd, ptys, hosts over TLS. What happened
is judged from outside, by the journal's file, the hosts' books and the notes that lie in the machine.
"""
