"""Originals to participants: who finds which, and the time-limited links to them."""
