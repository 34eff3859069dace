"""Faces and bibs together: a search finds what one of them alone misses."""
