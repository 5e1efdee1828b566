"""Every event of Candlepin's table of regenerations, on a real store: who goes stale is who would get other content.

The names are the rows of that table, and what is done differently on purpose is said beside the row.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from makers.boxes import KEY
from makers.fleets import APPS, Fleet, make_fleet

from issbox.model import (
    CertificateType,
    Consumer,
    ContentOverride,
    OverrideHolder,
    OverrideKind,
    RepositoryKey,
    WantedContent,
)
from issbox.workflows.certificates import certificates
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.certificates.preparing import Preparer
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.environments import contents, environments, promoting
from issbox.workflows.environments.exact_content import plan_content_set, plan_everything
from issbox.workflows.hosts import consumers, entitling, overrides

NEW = RepositoryKey("acme", "tools", "new")


@dataclass(frozen=True)
class Village:
    """Hosts in dev, in prod, in both (prod first) and in none; base is in dev and prod, apps in Library alone."""

    fleet: Fleet
    hosts: dict[str, Consumer]

    def contents(self) -> dict[str, str]:
        """Give what the certificate of each host would say if it were made now, as a digest."""
        found = {}
        with self.fleet.ctx.store.session(), self.fleet.ctx.store.transaction():
            preparer = Preparer(self.fleet.ctx)
            for name, host in self.hosts.items():
                present = self.fleet.ctx.store.consumers.get(host.uuid)
                found[name] = preparer.prepare("acme", present.profile, None).digest
        return found

    def settle(self) -> None:
        """Let every host get what it should have."""
        for host in self.hosts.values():
            certificates.certificates_of(self.fleet.ctx, host.uuid)

    def move(self, names: list[str], *places: str) -> None:
        consumers.move_consumers(self.fleet.ctx, "acme", [self.hosts[name].uuid for name in names], places)

    def withdraw(self) -> None:
        """Do to a content what a manifest does that has it no more."""
        ctx = self.fleet.ctx
        content = repositories.get_repository(ctx, KEY).content.id
        with ctx.store.session(), ctx.store.transaction(), certificates_follow(ctx, "acme"):
            ctx.store.repositories.withdraw("acme", content)

    def change_path(self) -> None:
        """Give a content another URL, as an import may."""
        ctx = self.fleet.ctx
        with ctx.store.session(), ctx.store.transaction(), certificates_follow(ctx, "acme"):
            content = replace(ctx.store.repositories.get(KEY).content, path="/custom/elsewhere")
            ctx.store.repositories.update(KEY, content=content)

    def synchronize(self, packages: int) -> None:
        self.fleet.gap.change_upstream(packages)
        synchronize(self.fleet.ctx, KEY)

    def label(self, key: RepositoryKey) -> str:
        return repositories.get_repository(self.fleet.ctx, key).content.label


@pytest.fixture
def village(tmp_path: Path) -> Village:
    fleet = make_fleet(tmp_path)
    places = {"dev": ("dev",), "prod": ("prod",), "both": ("prod", "dev"), "out": ()}
    hosts = {name: fleet.host(name, *where) for name, where in places.items()}
    for place in ("dev", "prod"):
        fleet.promote(KEY, place)
    return Village(fleet, hosts)


def override(village: Village) -> None:
    holder = OverrideHolder(OverrideKind.ENVIRONMENT, "dev", "acme")
    overrides.change_overrides(village.fleet.ctx, holder, put=[ContentOverride(village.label(KEY), "priority", "1")])


def another_organization(village: Village) -> None:
    ctx = village.fleet.ctx
    catalog.create_organization(ctx, label="other", name="Other")
    catalog.create_product(ctx, organization="other", label="tools", name="Tools")
    url = village.fleet.gap.upstream.as_uri()
    repositories.create_repository(ctx, organization="other", product="tools", label="base", name="Base", url=url)
    synchronize(ctx, RepositoryKey("other", "tools", "base"))


def add_repository(village: Village) -> None:
    ctx, url = village.fleet.ctx, village.fleet.gap.upstream.as_uri()
    repositories.create_repository(ctx, organization="acme", product="tools", label="new", name="New", url=url)
    synchronize(ctx, NEW)


def promote_newer(village: Village) -> None:
    village.synchronize(3)
    village.fleet.promote(KEY, "dev", 2)


def set_apps_alone(village: Village) -> None:
    plan = plan_content_set(village.fleet.ctx, "acme", "dev", [WantedContent("tools", "apps", 1)])
    promoting.promote(village.fleet.ctx, plan)


ROWS: dict[str, tuple[Callable[[Village], object], set[str]]] = {
    # Candlepin: every host of the environment whose product has the content; here shadowed ones are left alone.
    "promote": (lambda v: v.fleet.promote(APPS, "dev"), {"dev", "both"}),
    "promote another version": (promote_newer, set()),
    "demote": (lambda v: v.fleet.demote(KEY, "dev"), {"dev"}),
    "promote again": (lambda v: v.fleet.promote(KEY, "dev", 2), {"dev"}),
    "set exactly": (set_apps_alone, {"dev"}),
    "promote everything": (
        lambda v: promoting.promote(v.fleet.ctx, plan_everything(v.fleet.ctx, "acme", "dev", "prod")),
        {"prod", "both"},
    ),
    "promotion enabled or not": (
        lambda v: contents.enable_content(v.fleet.ctx, "acme", "prod", v.label(KEY), enabled=False),
        {"prod", "both"},
    ),
    # Candlepin: every entitlement of the organization to a product that has it, promoted or not.
    "content changed": (lambda v: repositories.update_repository(v.fleet.ctx, KEY, arches=["x86_64"]), {"out"}),
    "content changed: URL": (Village.change_path, {"out"}),
    "product changed: name": (lambda v: catalog.update_product(v.fleet.ctx, "acme", "tools", name="X"), set()),
    "product changed: content added": (add_repository, {"out"}),
    "product changed: content removed": (lambda v: repositories.delete_repository(v.fleet.ctx, NEW), {"out"}),
    # Candlepin: dirty in this organization, and SCA payloads in all others that have the product.
    "manifest without a content": (Village.withdraw, {"out"}),
    "refresh or import of newer packages": (lambda v: v.synchronize(1), set()),
    "import into another organization": (another_organization, set()),
    "environments of a host: lower one with the same content added": (lambda v: v.move(["prod"], "prod", "dev"), set()),
    "environments of a host: changed": (lambda v: v.move(["prod"], "dev"), {"prod"}),
    "environments of a host: reordered": (lambda v: v.move(["both"], "dev", "prod"), {"both"}),
    # Candlepin: no entitlement certificate goes stale, and with an empty list nothing at all.
    "bulk move": (lambda v: v.move(["dev", "prod", "both"], "prod"), {"dev", "prod", "both"}),
    "bulk move out of all": (lambda v: v.move(["dev", "both"]), {"dev", "both"}),
    "bulk move back": (lambda v: v.move(["dev", "both"], "dev"), {"dev", "both"}),
    "organization prefix": (
        lambda v: catalog.update_organization(v.fleet.ctx, "acme", content_prefix="/x/$env"),
        {"dev", "prod", "both", "out"},
    ),
    # Candlepin: nothing, so that hosts keep paths that are no more.
    "environment prefix": (
        lambda v: environments.update_environment(v.fleet.ctx, "acme", "dev", content_prefix="y"),
        {"dev", "both"},
    ),
    # Candlepin: nothing, though the name is in paths; here the label is, which never changes.
    "environment renamed": (lambda v: environments.update_environment(v.fleet.ctx, "acme", "dev", name="Z"), set()),
    "content overrides": (override, set()),
    "entitlement besides": (lambda v: entitling.entitle(v.fleet.ctx, v.hosts["dev"].uuid, "tools"), set()),
    "another certificate version": (
        lambda v: consumers.update_consumer(
            v.fleet.ctx, v.hosts["out"].uuid, facts={"system.certificate_version": "1.0"}
        ),
        {"out"},
    ),
    "organization-wide access": (
        lambda v: catalog.update_organization(v.fleet.ctx, "acme", access=CertificateType.ORG_LEVEL),
        {"dev", "prod", "both"},
    ),
    "environment deleted": (
        lambda v: environments.delete_environment(v.fleet.ctx, "acme", "dev", force=True),
        {"dev", "both"},
    ),
}


def test_who_goes_stale_is_who_would_get_other_content(village: Village) -> None:
    fleet, hosts = village.fleet, [*village.hosts.values()]
    village.settle()
    for row, (event, expected) in ROWS.items():
        before = village.contents()
        event(village)
        after = village.contents()
        stale = fleet.stale(*hosts)
        assert stale == {name for name in before if before[name] != after[name]}, row
        assert stale == expected, row
        serials = {host.name: {each.certificate.serial for each in current(village, host)} for host in hosts}
        village.settle()
        for host in hosts:
            now = {each.certificate.serial for each in current(village, host)}
            assert (serials[host.name] <= now) is (host.name not in expected), f"{row}: {host.name}"


def current(village: Village, host: Consumer) -> list[certificates.HostCertificate]:
    return certificates.current_certificates(village.fleet.ctx, host.uuid)


def test_refresh_by_force_gives_one_host_new_serial_numbers(village: Village) -> None:
    village.settle()
    before = {name: village.fleet.certificate(host).serial for name, host in village.hosts.items()}
    certificates.reissue(village.fleet.ctx, village.hosts["dev"].uuid)
    after = {name: village.fleet.certificate(host).serial for name, host in village.hosts.items()}
    assert {name for name in before if before[name] != after[name]} == {"dev"}
