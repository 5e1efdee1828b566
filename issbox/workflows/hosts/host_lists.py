"""Looking through many hosts and their certificates, and what ends when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from issbox.model import (
    Consumer,
    EndingCertificate,
    EndingFilter,
    Entitlement,
    HostFilter,
    HostState,
    IssuedCertificate,
    IssuedKind,
    RegenerationScope,
)
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.consumers import get_consumer

_PERIODS: Final = (("within 7 days", 7), ("within 30 days", 30), ("within 90 days", 90), ("within a year", 365))


@dataclass(frozen=True, slots=True)
class HostPages:
    """Hosts: a long table."""

    ctx: Context
    wanted: HostFilter

    def count(self) -> int:
        """Give how many there are."""
        with self.ctx.store.session():
            return self.ctx.store.host_lists.count(self.wanted)

    def page(self, after: Any, number: int) -> Sequence[tuple[Any, HostState]]:
        """Give those after a key."""
        with self.ctx.store.session():
            return self.ctx.store.host_lists.page(self.wanted, after, number)

    def skip(self, after: Any, number: int) -> Any:
        """Give the key of the host so many further on."""
        with self.ctx.store.session():
            return self.ctx.store.host_lists.skip(self.wanted, after, number)


@dataclass(frozen=True, slots=True)
class EndingPages:
    """Certificates of hosts that are in use: a long table."""

    ctx: Context
    wanted: EndingFilter

    def count(self) -> int:
        """Give how many there are."""
        with self.ctx.store.session():
            return self.ctx.store.host_lists.count_ending(self.wanted)

    def page(self, after: Any, number: int) -> Sequence[tuple[Any, EndingCertificate]]:
        """Give those after a key."""
        with self.ctx.store.session():
            return self.ctx.store.host_lists.ending(self.wanted, after, number)

    def skip(self, after: Any, number: int) -> Any:
        """Give the key of the certificate so many further on."""
        with self.ctx.store.session():
            return self.ctx.store.host_lists.skip_ending(self.wanted, after, number)


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which certificates end, and how many do."""

    words: str
    wanted: EndingFilter
    certificates: int


def browse_hosts(ctx: Context, wanted: HostFilter) -> HostPages:
    """Give hosts page by page; raises NotPermittedError, NotFoundError for organization and environment."""
    ctx.require(Permission.CONSUMER_MANAGE, wanted.organization)
    with ctx.store.session():
        ctx.store.organizations.get(wanted.organization)
        if wanted.environment:
            ctx.store.environments.get(wanted.organization, wanted.environment)
    return HostPages(ctx, wanted)


def browse_ending(ctx: Context, wanted: EndingFilter) -> EndingPages:
    """Give certificates of hosts page by page; raises NotPermittedError."""
    ctx.require(Permission.CERTIFICATE_MANAGE, wanted.organization)
    with ctx.store.session():
        ctx.store.organizations.get(wanted.organization)
    return EndingPages(ctx, wanted)


def periods(ctx: Context, organization: str) -> list[Period]:
    """Give how many certificates of hosts have ended, end soon, and end later; every certificate in one period."""
    ctx.require(Permission.CERTIFICATE_MANAGE, organization)
    now, every = ctx.clock(), EndingFilter(organization)
    wanted = [("ended", replace(every, before=now))]
    start = now
    for words, days in _PERIODS:
        end = now + timedelta(days=days)
        wanted.append((words, replace(every, after=start, before=end)))
        start = end
    wanted.append(("later", replace(every, after=start)))
    with ctx.store.session():
        return [Period(words, each, ctx.store.host_lists.count_ending(each)) for words, each in wanted]


@dataclass(frozen=True, slots=True)
class HostView:
    """A host with its certificates as they are, none issued for being looked at."""

    consumer: Consumer
    identity: IssuedCertificate | None
    entitlements: tuple[tuple[Entitlement, IssuedCertificate | None], ...]
    """Each entitlement with its certificate, if one was issued."""


def view_host(ctx: Context, uuid: str) -> HostView:
    """Give a host with its certificates; raises NotFoundError, ConsumerDeletedError."""
    consumer = get_consumer(ctx, uuid)
    with ctx.store.session():
        certificates = ctx.store.certificates
        identities = certificates.of(uuid, IssuedKind.IDENTITY)
        held = tuple(
            (each, None if each.serial is None else certificates.get(each.serial))
            for each in ctx.store.entitlements.of(uuid)
        )
        return HostView(consumer, identities[0] if identities else None, held)


def count_to_issue(ctx: Context, scope: RegenerationScope) -> int:
    """Give how many entitlements a regeneration would look at; raises NotFoundError, NotPermittedError."""
    ctx.require(Permission.CERTIFICATE_MANAGE, scope.organization)
    with ctx.store.session():
        return ctx.store.entitlements.count(scope)
