"""What a promotion means for hosts whose processors differ."""

import pytest
from makers.catalogues import catalogue, snapshot

from issbox.model import Content, Held, HostProfile, Repository, RepositoryKey
from issbox.rules.environments.promotion_effects import broken_arches

KEY = RepositoryKey("Acme", "tools", "base")
TEMPLATE = "/custom/$basearch/os"


@pytest.mark.parametrize(
    ("there", "host", "broken"),
    [
        ("x86_64", ("x86_64",), False),
        ("aarch64", ("x86_64",), True),
        ("x86_64", ("i386", "x86_64"), False),
        ("i386", ("i686",), False),
        ("i386", ("x86_64",), True),
        ("x86_64", (), False),
    ],
)
def test_hosts_that_would_find_nothing_for_them(there: str, host: tuple[str, ...], broken: bool) -> None:
    held = Held(KEY, 1, snapshot=snapshot("1", path=TEMPLATE))
    content = Content("1", "c1", "C1", TEMPLATE)
    repository = Repository(KEY, "Base", content, f"custom/{there}/os", variables={"basearch": there})
    assert held.snapshot is not None
    label = held.snapshot.label
    found = broken_arches(catalogue({"A": "1"}), "A", [held], {KEY: repository}, [HostProfile(("A",), host)])
    assert found == ((f"{label} for {', '.join(host)}",) if broken else ())
