"""What hosts set and read besides certificates: content overrides, release, package list, check-in."""

from collections.abc import Sequence
from typing import Any, Final

from issbox.model import ContentOverride, OverrideHolder, OverrideKind
from issbox.web.api.hosts import ReleaseVersion
from issbox.web.api.overrides import Override, OverrideName, described, dropped, put
from issbox.web.api.routes import CONSUMER, Call, NoQuery, Query, Routes, Who
from issbox.workflows.hosts import consumers, offers, overrides

ROUTES: Final = Routes("consumers")
_OVERRIDES: Final = "/consumers/{consumer_uuid}/content_overrides"


class CheckinQuery(Query):
    """When a host was here."""

    checkin_date: str | None = None
    """Not believed: the time at which this box is asked counts."""


@ROUTES.add("GET", _OVERRIDES, who=Who.USER_OR_HOST, answer=list[Override])
def list_overrides(call: Call[None, NoQuery]) -> list[Override]:
    """List the content overrides that a host uses: its own, over those of its environments."""
    return described(overrides.read_overrides(call.ctx, _holder(call)))


@ROUTES.add("PUT", _OVERRIDES, who=Who.USER_OR_HOST, body=list[Override], answer=list[Override])
def set_overrides(call: Call[list[Override], NoQuery]) -> list[Override]:
    """Set content overrides of a host; others stay. Nothing is set when one of them is not possible."""
    return described(_change(call, put(call.body), []))


@ROUTES.add(
    "DELETE",
    _OVERRIDES,
    who=Who.USER_OR_HOST,
    body=list[OverrideName],
    body_optional=True,
    answer=list[Override],
)
def drop_overrides(call: Call[list[OverrideName] | None, NoQuery]) -> list[Override]:
    """Take content overrides of a host away: all when none is named, all of a content when only its label is."""
    return described(_change(call, [], dropped(call.body)))


def _change(
    call: Call[Any, NoQuery], wanted: Sequence[ContentOverride], gone: Sequence[tuple[str | None, str | None]]
) -> Sequence[ContentOverride]:
    return overrides.change_overrides(call.ctx, _holder(call), put=wanted, drop=gone)


def _holder(call: Call[Any, Any]) -> OverrideHolder:
    return OverrideHolder(OverrideKind.CONSUMER, call.path[CONSUMER])


@ROUTES.add("GET", "/consumers/{consumer_uuid}/release", who=Who.USER_OR_HOST, answer=ReleaseVersion)
def get_release(call: Call[None, NoQuery]) -> ReleaseVersion:
    """Say which release a host is set to."""
    return ReleaseVersion(release_ver=consumers.get_consumer(call.ctx, call.path[CONSUMER]).release or None)


@ROUTES.add("GET", "/consumers/{consumer_uuid}/available_releases", who=Who.USER_OR_HOST, answer=list[str])
def list_releases(call: Call[None, NoQuery]) -> list[str]:
    """List the releases of which the environments of a host hold something that it may read."""
    return offers.releases_for(call.ctx, call.path[CONSUMER])


@ROUTES.add("PUT", "/consumers/{consumer_uuid}/packages", who=Who.USER_OR_HOST, body=list[dict[str, Any]])
def take_packages(call: Call[list[dict[str, Any]], NoQuery]) -> None:
    """Take the list of installed packages, of which nothing is kept: clients send it only to servers that want it."""
    consumers.get_consumer(call.ctx, call.path[CONSUMER])


@ROUTES.add("PUT", "/consumers/{consumer_uuid}/profiles", who=Who.USER_OR_HOST, body=list[dict[str, Any]])
def take_profiles(call: Call[list[dict[str, Any]], NoQuery]) -> None:
    """Take the lists of packages, modules and repositories, of which nothing is kept."""
    consumers.get_consumer(call.ctx, call.path[CONSUMER])


@ROUTES.add("PUT", "/consumers/{consumer_uuid}/checkin", who=Who.USER_OR_HOST, query=CheckinQuery)
def check_in(call: Call[None, CheckinQuery]) -> None:
    """Note that a host was here, as every call of a host does."""
    consumers.get_consumer(call.ctx, call.path[CONSUMER])
