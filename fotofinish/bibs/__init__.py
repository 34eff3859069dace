"""Bib numbers: from text to tag, correction, search."""
