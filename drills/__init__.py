"""Faults on purpose: real processes, the simulator, and something taken away while people talk."""
