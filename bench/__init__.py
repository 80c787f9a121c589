"""Benchmarks of callops: every figure is a ratio to something bare that was measured in the same run.

`make bench` runs all of them; docs/performance.md tells what each one means. This package is no part of what is served.
"""
