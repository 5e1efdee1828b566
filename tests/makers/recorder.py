"""A progress that remembers."""


class Recorder:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.notes: list[str] = []
        self.expected: dict[str, tuple[int, int]] = {}
        """By step: files and bytes it would handle, as it said last."""
        self.advanced: dict[str, tuple[int, int]] = {}
        """By step: files and bytes it handled."""

    def step(self, name: str, message: str = "") -> None:
        self.steps.append(name)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def expect(self, *, files: int, size: int) -> None:
        self.expected[self.steps[-1]] = files, size

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        before = self.advanced.get(self.steps[-1], (0, 0))
        self.advanced[self.steps[-1]] = before[0] + files, before[1] + size
