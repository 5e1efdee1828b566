"""How long work tells what it is doing; front ends decide what to show."""

from typing import Protocol


class Progress(Protocol):
    """Receives what a workflow does. All methods may be called from several threads."""

    def step(self, name: str, message: str = "") -> None:
        """Begin the named step. Everything durable of the step before it has been done."""

    def expect(self, *, files: int, size: int) -> None:
        """Say how many files and bytes the present step will handle."""

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        """Say that so many more files and bytes of the present step are done."""

    def note(self, message: str) -> None:
        """Tell something a person should read, for example that a checksum is weak."""


class Silent:
    """A progress that shows nothing."""

    def step(self, name: str, message: str = "") -> None:
        """Show nothing."""

    def expect(self, *, files: int, size: int) -> None:
        """Show nothing."""

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        """Show nothing."""

    def note(self, message: str) -> None:
        """Show nothing."""
