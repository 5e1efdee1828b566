"""kill -9 while a subscription manifest comes, is replaced or goes: it is the old one or the new one, keys and all."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from makers.boxes import Side, make_gap
from makers.manifests import APPSTREAM, CREATED, manifest_authority, rhel, write_manifest

from issbox.errors import NotFoundError
from issbox.workflows.content import catalog
from issbox.workflows.manifests.manifest_importing import STEPS
from issbox.workflows.manifests.manifests import (
    manifest_certificate,
    manifest_contents,
    manifest_history,
    show_manifest,
)


@dataclass(frozen=True)
class Office:
    """A box, a first manifest with two contents and a second one with one."""

    side: Side
    first: str
    second: str

    def contents(self) -> int:
        """Give how many contents are offered, after looking whether everything fits together."""
        ctx = self.side.context()
        self.side.check()
        keys = {path.parent.name for path in ctx.store.manifest_keys.rglob("*.key")}
        offered = manifest_contents(ctx, "acme")
        events = manifest_history(ctx, "acme")
        redhat = [each.label for each in catalog.list_products(ctx, "acme") if each.number]
        try:
            record = show_manifest(ctx, "acme").record
        except NotFoundError:
            assert (keys, offered, redhat) == (set(), {}, [])
            return 0
        assert keys == {record.id}
        assert manifest_certificate(ctx, "acme").key.is_file()
        assert redhat == list(offered)
        assert events[0].sha256 == record.sha256
        return sum(map(len, offered.values()))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    side = make_gap(tmp_path).outside
    authorities = tmp_path / "ca.pem"
    authorities.write_text(manifest_authority().root_pem)
    first = write_manifest(tmp_path / "first.zip", products=[rhel()])
    second = write_manifest(tmp_path / "second.zip", products=[rhel(APPSTREAM)], created=CREATED + timedelta(days=1))
    return Office(side, f"{first} {authorities}", f"{second} {authorities}")


@pytest.mark.parametrize("step", STEPS)
def test_the_first_manifest(office: Office, step: str) -> None:
    office.side.run("take-manifest", office.first, kill=step)
    office.side.restart()
    assert office.contents() == (2 if step == "remove-old-keys" else 0)
    assert office.side.run("take-manifest", office.first) == list(STEPS)
    assert office.contents() == 2


@pytest.mark.parametrize("step", STEPS)
def test_a_manifest_in_place_of_another(office: Office, step: str) -> None:
    office.side.run("take-manifest", office.first)
    office.side.run("take-manifest", office.second, kill=step)
    office.side.restart()
    assert office.contents() == (1 if step == "remove-old-keys" else 2)
    office.side.run("take-manifest", office.second)
    assert office.contents() == 1


@pytest.mark.parametrize("step", STEPS[2:])
def test_deleting(office: Office, step: str) -> None:
    office.side.run("take-manifest", office.first)
    office.side.run("delete-manifest", kill=step)
    office.side.restart()
    assert office.contents() == (0 if step == "remove-old-keys" else 2)
    if step != "remove-old-keys":
        office.side.run("delete-manifest")
    assert office.contents() == 0
