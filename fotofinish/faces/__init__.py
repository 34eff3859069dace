"""Faces: templates, selfies, matching."""
