"""Canary: a test call now and then to a line of ours, transferred to a loop-back number, and what came of it."""
