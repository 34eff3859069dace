"""The command line: parse, call, print. What is done stands in the features."""

from fotofinish.cli.command import main

__all__ = ["main"]
