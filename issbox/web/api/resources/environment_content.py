"""Which contents are promoted to an environment, and content overrides for all hosts in it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from issbox.job_running import do_now
from issbox.model import ContentOverride, LifecycleEnvironment, OverrideHolder, OverrideKind, RegenerationScope
from issbox.web.api.failures import Refusal
from issbox.web.api.overrides import Override, OverrideName, described, dropped, put
from issbox.web.api.resources.jobs import JobStatus, job_status
from issbox.web.api.resources.regenerations import regenerate
from issbox.web.api.routes import Call, NoQuery, Query, Routes, Shape, Who
from issbox.workflows.context import Permission
from issbox.workflows.environments.environments import find_environment
from issbox.workflows.hosts import overrides
from issbox.workflows.job_kinds.content_promotions import Deed, PromoteContentJob

ROUTES: Final = Routes("environments")
_CONTENT: Final = "/environments/{environment_id}/content"
_OVERRIDES: Final = "/environments/{environment_id}/content_overrides"
_MOST: Final = 10_000


class ContentToPromote(Shape):
    """A content that goes into an environment."""

    content_id: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    enabled: bool | None = None
    """Whether hosts have it enabled, whatever its default is; null leaves that."""
    environment_id: str | None = None
    """Passed over: the path names the environment."""


class RegenerationQuery(Query):
    """When hosts get their certificates."""

    lazy_regen: bool = True
    """Whether they get them when they ask; false issues them now, as a job."""


class PromotionQuery(RegenerationQuery):
    """How contents are promoted."""

    force: bool = False
    """Also what the environment before does not hold, and what leaves processors out."""
    reason: Annotated[str, msgspec.Meta(max_length=255)] = ""
    """Why it is forced; is recorded."""


class SettingQuery(PromotionQuery):
    """How an environment is made to hold exactly some contents."""

    newest: bool = False
    """Whether what is there already gets the version of the environment before it."""


class DemotionQuery(RegenerationQuery):
    """What leaves an environment."""

    content: list[str] | None = None
    """Ids of contents."""


Promoted = Annotated[list[ContentToPromote], msgspec.Meta(max_length=_MOST)]


@ROUTES.add("POST", _CONTENT, who=Who.USER, body=Promoted, query=PromotionQuery, answer=JobStatus)
def promote_content(call: Call[list[ContentToPromote], PromotionQuery]) -> JobStatus:
    """Promote contents to an environment: all of them or, when it holds one already, none.

    It gets what the environment before it holds of them, at the versions there. They are in force when this answers.
    """
    if not call.body:
        raise Refusal(400, "no content is named")
    return _do(call, Deed.PROMOTE, _wanted(call.body), force=call.query.force, reason=call.query.reason)


@ROUTES.add("PUT", _CONTENT, who=Who.USER, body=Promoted, query=SettingQuery, answer=JobStatus)
def set_content(call: Call[list[ContentToPromote], SettingQuery]) -> JobStatus:
    """Let an environment hold exactly these contents; asked again, it changes nothing.

    What it holds already stays at its version, unless the newest is asked for.
    """
    query = call.query
    return _do(call, Deed.SET, _wanted(call.body), newest=query.newest, force=query.force, reason=query.reason)


@ROUTES.add("DELETE", _CONTENT, who=Who.USER, query=DemotionQuery, answer=JobStatus)
def demote_content(call: Call[None, DemotionQuery]) -> JobStatus:
    """Take contents out of an environment: all of them or, when it does not hold one, none."""
    if not call.query.content:
        raise Refusal(400, "no content is named")
    return _do(call, Deed.DEMOTE, dict.fromkeys(call.query.content))


@ROUTES.add("GET", _OVERRIDES, who=Who.USER, answer=list[Override])
def list_environment_overrides(call: Call[None, NoQuery]) -> list[Override]:
    """List the content overrides for all hosts in an environment."""
    return described(overrides.read_overrides(call.ctx, _holder(call)))


@ROUTES.add("PUT", _OVERRIDES, who=Who.USER, body=list[Override], answer=list[Override])
def set_environment_overrides(call: Call[list[Override], NoQuery]) -> list[Override]:
    """Set content overrides for all hosts in an environment; others stay. When one is not possible, none is set."""
    return described(_override(call, put(call.body), []))


@ROUTES.add("DELETE", _OVERRIDES, who=Who.USER, body=list[OverrideName], body_optional=True, answer=list[Override])
def drop_environment_overrides(call: Call[list[OverrideName] | None, NoQuery]) -> list[Override]:
    """Take content overrides of an environment away: all when none is named, all of a content without a name."""
    return described(_override(call, [], dropped(call.body)))


def _do(call: Call[Any, Any], deed: Deed, wanted: dict[str, bool | None], **more: Any) -> JobStatus:
    place = _place(call)
    eager = not call.query.lazy_regen
    if eager:  # before anything is changed
        call.ctx.require(Permission.CERTIFICATE_MANAGE, place.organization)
    done = do_now(call.ctx, PromoteContentJob(place.organization, place.label, deed, wanted, **more))
    scope = RegenerationScope(place.organization, environment=place.label)
    return regenerate(call, scope) if eager else job_status(done)


def _wanted(body: Sequence[ContentToPromote]) -> dict[str, bool | None]:
    return {each.content_id: each.enabled for each in body}


def _place(call: Call[Any, Any]) -> LifecycleEnvironment:
    return find_environment(call.ctx, call.path["environment_id"])


def _override(
    call: Call[Any, NoQuery], wanted: Sequence[ContentOverride], gone: Sequence[tuple[str | None, str | None]]
) -> Sequence[ContentOverride]:
    return overrides.change_overrides(call.ctx, _holder(call), put=wanted, drop=gone)


def _holder(call: Call[Any, Any]) -> OverrideHolder:
    place = _place(call)
    return OverrideHolder(OverrideKind.ENVIRONMENT, place.label, place.organization)
