"""What the tests of the store share: an organization with a product and a repository, and a look at the tables."""

from collections.abc import Callable
from typing import Any

import pytest
from makers.stores import KEY, Library, repository

from issbox.model import Product
from issbox.store import Store


@pytest.fixture
def library(store: Store) -> Library:
    """A store with the organization Example, the product tools and the repository base."""
    store.organizations.create(KEY.organization, "Example Corp.")
    store.products.create(Product(KEY.organization, KEY.product, "Tools"))
    store.repositories.create(repository())
    return Library(store)


@pytest.fixture
def count_rows(store: Store) -> Callable[[str], int]:
    """Counts the rows of a table."""

    def count(table: str) -> int:
        database: Any = store.database
        return int(database.execute_sql(f"SELECT COUNT(*) FROM {table}").fetchone()[0])

    return count
