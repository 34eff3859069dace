"""Benchmarks: one file a subject, each against a peer in the same run. `make bench` runs all."""
