"""A progress that remembers."""


class Recorder:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.notes: list[str] = []
        self.expected = self.advanced = 0

    def step(self, name: str, message: str = "") -> None:
        self.steps.append(name)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def expect(self, *, files: int, size: int) -> None:
        self.expected += size

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        self.advanced += size
