"""The doctor's round, and its verdicts one by one."""
