"""The front end of commands: one module per noun, loaded when it is used."""

from issbox.cli.app import main

__all__ = ["main"]
