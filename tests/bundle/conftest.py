"""What the tests of bundles share."""

import pytest
from makers.bundles import new_key

from issbox.bundle.signature import SigningKey


@pytest.fixture(scope="session")
def key() -> SigningKey:
    """Give the key of the sending box."""
    return new_key()
