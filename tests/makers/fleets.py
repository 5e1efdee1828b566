"""A box with environments, products and hosts, with quick keys."""

from dataclasses import dataclass, replace
from pathlib import Path

from issbox.certs.decode import DecodedCertificate, decode_certificate
from issbox.model import LIBRARY, Consumer, RepositoryKey
from issbox.workflows.certificates import certificates
from issbox.workflows.content import repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.hosts import registering
from makers.boxes import KEY, Gap, make_gap

APPS = RepositoryKey("acme", "tools", "apps")
FACTS = {"uname.machine": "x86_64", "system.certificate_version": "3.2"}


@dataclass(frozen=True)
class Fleet:
    """Library > dev > prod; the repositories tools/base and tools/apps are in Library, and nothing is promoted yet."""

    gap: Gap
    ctx: Context

    def host(self, name: str, *places: str, products: tuple[str, ...] = (), version: str = "3.2") -> Consumer:
        """Register a host in these environments."""
        return registering.register(
            self.ctx,
            organization="acme",
            name=name,
            facts=FACTS | {"system.certificate_version": version},
            environments=places,
            products=products,
        )

    def promote(self, key: RepositoryKey, environment: str, number: int = 1, **options: object) -> int | None:
        """Promote a version of a repository."""
        plan = promoting.plan_repository_promotion(self.ctx, key, number, environment, **options)  # type: ignore[arg-type]
        record = promoting.promote(self.ctx, plan)
        return None if record is None else record.id

    def demote(self, key: RepositoryKey, environment: str) -> None:
        """Take a repository out of an environment."""
        promoting.promote(self.ctx, promoting.plan_demotion(self.ctx, "acme", environment, [key]))

    def certificate(self, host: Consumer) -> DecodedCertificate:
        """Give the certificate that a host gets when it asks."""
        (found,) = certificates.certificates_of(self.ctx, host.uuid)
        return decode_certificate(found.certificate.pem)

    def paths(self, host: Consumer) -> list[str]:
        """Give what the host may read."""
        return list(self.certificate(host).paths)

    def stale(self, *hosts: Consumer) -> set[str]:
        """Give the names of those of some hosts whose certificate is stale."""
        with self.ctx.store.session():
            return {each.name for each in hosts if any(one.stale for one in self.ctx.store.entitlements.of(each.uuid))}


def quick(ctx: Context) -> Context:
    """Give surroundings with keys that are made in no time."""
    certified = replace(ctx.settings.certificates, authority_key="ec-p256", host_key="ec-p256")
    return replace(ctx, settings=replace(ctx.settings, certificates=certified))


def make_fleet(root: Path) -> Fleet:
    """Make the box."""
    gap = make_gap(root)
    ctx = quick(gap.outside.context())
    repositories.create_repository(
        ctx, organization="acme", product="tools", label="apps", name="Apps", url=gap.upstream.as_uri()
    )
    for key in (KEY, APPS):
        synchronize(ctx, key)
    for label, prior in (("dev", LIBRARY), ("prod", "dev")):
        environments.create_environment(ctx, organization="acme", label=label, name=label.title(), prior=prior)
    return Fleet(gap, ctx)
