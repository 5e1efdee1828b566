"""What the server keeps of the database: read once, however many ask, and again after a failure."""

import asyncio

import pytest

from issbox.errors import DatabaseError
from issbox.web.current import Current
from issbox.workflows.appliance import serving
from issbox.workflows.appliance.serving import ServedTrees
from issbox.workflows.context import Context


class Reading:
    """Reads environments, counts how often, and fails as often as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, failures: int = 0) -> None:
        self.count, self.failures = 0, failures
        self._read = serving.read_environment
        monkeypatch.setattr(serving, "read_environment", self)

    def __call__(self, ctx: Context, organization: str, label: str) -> ServedTrees | None:
        self.count += 1
        if self.count <= self.failures:
            raise DatabaseError("the database is away")
        return self._read(ctx, organization, label)


def test_an_environment_is_read_once_however_many_ask(served_box: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(monkeypatch)

    async def ask() -> list[ServedTrees | None]:
        current = Current(served_box)
        await current.overview()
        return await asyncio.gather(*(current.environment("acme", "dev") for _ in range(50)))

    found = asyncio.run(ask())
    assert reading.count == 1
    assert all(each is found[0] and each is not None for each in found)


def test_what_could_not_be_read_is_read_again(served_box: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(monkeypatch, failures=1)

    async def ask() -> ServedTrees | None:
        current = Current(served_box)
        await current.overview()
        with pytest.raises(DatabaseError):
            await current.environment("acme", "dev")
        return await current.environment("acme", "dev")

    assert asyncio.run(ask()) is not None
    assert reading.count == 2
