"""Small things that everybody needs: clock, log, signals, one way to race, one to be asked, one to trust."""
