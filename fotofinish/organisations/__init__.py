"""Organisations, the people who work for them, and the keys their programs call with."""
