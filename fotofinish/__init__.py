"""Fotofinish gives every participant of an event their photos."""

__version__ = "0.1.0"
