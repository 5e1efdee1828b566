"""Makers of the material that tests and benchmarks work on."""
