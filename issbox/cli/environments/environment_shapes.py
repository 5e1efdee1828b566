"""What is shown of lifecycle environments."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from issbox.cli.shapes import Field, Shape
from issbox.model import LifecycleEnvironment, Promotion

if TYPE_CHECKING:
    from issbox.workflows.environments.environments import EnvironmentContent, EnvironmentDeletion

ENVIRONMENT = Shape[LifecycleEnvironment](
    "lifecycle environment",
    (
        Field("organization", "label of its organization", lambda each: each.organization),
        Field("label", "label, unique in the organization", lambda each: each.label, column=True),
        Field("name", "name for people", lambda each: each.name, column=True),
        Field("prior", "label of the environment before it, null for Library", lambda each: each.prior, column=True),
        Field("description", "free text", lambda each: each.description, column=True),
        Field("id", "what programs call it by, unique in the box", lambda each: each.id),
        Field("type", "what kind of environment programs take it for, or empty", lambda each: each.type),
        Field("content_prefix", "part of paths after the organization's", lambda each: each.content_prefix),
        Field(
            "cdn",
            "whether certificates open it whose paths have neither organization nor environment",
            lambda each: each.serves_as_cdn,
        ),
    ),
)

PATH = Shape[list[LifecycleEnvironment]](
    "lifecycle path",
    (
        Field(
            "environments",
            "array of labels, Library first",
            lambda each: [one.label for one in each],
            column=True,
            show=lambda value: " > ".join(value) if isinstance(value, list) else "",
        ),
    ),
)


def _promotion(promotion: Promotion) -> dict[str, object]:
    name = promotion.view_version
    return {
        "repository": promotion.repository.key.source.short,
        "path": promotion.repository.path,
        "version": promotion.number,
        "filtered": bool(promotion.repository.key.view),
        "enabled": promotion.enabled,
        "content_view": None if name is None else name.view,
        "content_view_version": None if name is None else name.number,
    }


def _content(promotions: Sequence[Promotion]) -> list[dict[str, object]]:
    return [_promotion(each) for each in promotions]


def _show(value: object) -> str:
    assert isinstance(value, list), "the field gives a list"
    return ", ".join(
        f"{each['repository']} version {each['version']}{' filtered' if each['filtered'] else ''}"
        + (f" of {each['content_view']} {each['content_view_version']}" if each["content_view"] else "")
        for each in value
    )


_MEANING = (
    "array of objects `repository` (`product/repository`), `path`, `version`, `filtered` (whether the content view's "
    "filters changed it), `enabled` (override of the content's default, or null), `content_view` and "
    "`content_view_version` that brought it, or null"
)

CONTENT: "Shape[EnvironmentContent]" = Shape(
    "lifecycle environment with content",
    (
        Field("organization", "label of its organization", lambda each: each.environment.organization),
        Field("label", "label, unique in the organization", lambda each: each.environment.label),
        Field("name", "name for people", lambda each: each.environment.name),
        Field("prior", "label of the environment before it, null for Library", lambda each: each.environment.prior),
        Field("description", "free text", lambda each: each.environment.description),
        Field("content", _MEANING, lambda each: _content(each.content), show=_show),
    ),
)

DELETION: "Shape[EnvironmentDeletion]" = Shape(
    "lifecycle environment deletion",
    (
        Field("organization", "label of its organization", lambda each: each.environment.organization),
        Field("label", "label of the environment that goes", lambda each: each.environment.label),
        Field("content", _MEANING, lambda each: _content(each.content), show=_show),
        Field("followers", "array of environments that come after its prior one then", lambda each: each.followers),
        Field("prior", "that prior one", lambda each: each.environment.prior),
        Field("hosts", "number of hosts in it", lambda each: each.hosts.number),
        Field("host_names", "array: the first of them by name", lambda each: each.hosts.names),
        Field("stranded", "number of them that are in no other environment", lambda each: each.stranded),
    ),
)
