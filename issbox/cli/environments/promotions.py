"""Promotions on the command line: the plan, what became of it, and the history."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from issbox.cli.command import Run
from issbox.cli.content.differences import DIFFERENCE_MEANING, DIFFERENCE_WORDS, difference_document
from issbox.cli.shapes import Field, Shape
from issbox.model import Held, PromotionRecord
from issbox.rules.environments.promoting import PlannedChange, PromotionPlan

if TYPE_CHECKING:
    from issbox.workflows.context import Context

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Promoted:
    """A plan, and what was made of it."""

    plan: PromotionPlan
    record: PromotionRecord | None
    dry_run: bool


def _held(held: Held | None) -> dict[str, object] | None:
    if held is None:
        return None
    name = held.view_version
    return {
        "version": held.number,
        "filtered": bool(held.key.view),
        "enabled": held.enabled,
        "content_view": None if name is None else name.view,
        "content_view_version": None if name is None else name.number,
    }


def _change(change: PlannedChange) -> dict[str, object]:
    return {
        "repository": change.key.source.short,
        "kind": change.kind.value,
        "before": _held(change.before),
        "after": _held(change.after),
        **difference_document(change.difference),
    }


def _version(held: dict[str, object] | None) -> str:
    if held is None:
        return "nothing"
    name = f" of {held['content_view']} {held['content_view_version']}" if held["content_view"] else ""
    return f"version {held['version']}{' filtered' if held['filtered'] else ''}{name}"


def _describe(change: dict[str, Any]) -> str:
    counts = ", ".join(f"{word} {len(change[key])}" for key, word in DIFFERENCE_WORDS if change[key])
    sides = f"{_version(change['before'])} -> {_version(change['after'])}"
    return f"{change['repository']} {change['kind']}: {sides}{f' ({counts})' if counts else ''}"


def _describe_all(value: object) -> str:
    assert isinstance(value, list), "the field gives a list"
    return "; ".join(map(_describe, value))


def _named(held: Held) -> dict[str, object]:
    return {"repository": held.key.source.short, **(_held(held) or {})}


def _names(value: object) -> str:
    assert isinstance(value, list), "the field gives a list"
    return ", ".join(f"{each['repository']} {_version(each)}" for each in value)


PLAN = Shape[Promoted](
    "promotion plan",
    (
        Field("organization", "label of its organization", lambda each: each.plan.organization),
        Field("environment", "label of the environment that changes", lambda each: each.plan.environment),
        Field("action", "`promote`, `demote`, `set` or `undo`", lambda each: each.plan.action),
        Field("subject", "what is promoted, demoted or taken back", lambda each: each.plan.subject),
        Field("reason", "why it goes out of order; empty when it does not", lambda each: each.plan.reason),
        Field(
            "changes",
            "array of objects: `repository` (`product/repository`), `kind` (`in`, `out`, `replaced`, or `kept` when "
            "only the content view version is another one), `before` and `after` (null, or `version`, `filtered`, "
            "`enabled`, `content_view`, `content_view_version`), "
            f"{DIFFERENCE_MEANING}",
            lambda each: [_change(change) for change in each.plan.changes],
            show=_describe_all,
        ),
        Field("notes", "array: what a person should know", lambda each: each.plan.notes),
        Field(
            "refusals",
            "array of objects `code`, `message`, `hint`: what stands against it",
            lambda each: [{"code": one.code, "message": one.message, "hint": one.hint} for one in each.plan.refusals],
            show=lambda value: "; ".join(one["message"] for one in value) if isinstance(value, list) else "",
        ),
        Field(
            "hosts",
            "number of hosts whose certificates will say something else",
            lambda each: each.plan.effect.hosts.number,
        ),
        Field("host_names", "array: the first of them by name", lambda each: each.plan.effect.hosts.names),
        Field("certificates", "number of certificates that go stale", lambda each: each.plan.effect.certificates),
        Field(
            "missing_paths",
            "array of paths that hosts could ask for and that will not be there",
            lambda each: each.plan.effect.missing_paths,
        ),
        Field(
            "broken_arches",
            "array: content and architecture of hosts that will not find anything for them",
            lambda each: each.plan.effect.broken_arches,
        ),
        Field("dry_run", "true when nothing was changed, only planned", lambda each: each.dry_run),
        Field(
            "promotion",
            "number of the change in the history, or null when nothing was changed",
            lambda each: None if each.record is None else each.record.id,
        ),
    ),
)

RECORD = Shape[PromotionRecord](
    "promotion",
    (
        Field("id", "its number", lambda each: each.id, column=True),
        Field("at", "when it was done", lambda each: each.at, column=True),
        Field("actor", "who did it", lambda each: each.actor.name, column=True),
        Field("organization", "label of the organization", lambda each: each.organization),
        Field("environment", "label of the environment", lambda each: each.environment, column=True),
        Field("action", "`promote`, `demote`, `set` or `undo`", lambda each: each.action, column=True),
        Field("subject", "what was promoted, demoted or taken back", lambda each: each.subject, column=True),
        Field("reason", "why it went out of order; empty when it did not", lambda each: each.reason),
        Field(
            "before",
            "array of objects `repository`, `version`, `filtered`, `enabled`, `content_view`, `content_view_version`: "
            "what was replaced or taken out",
            lambda each: [_named(held) for held in each.before],
            show=_names,
        ),
        Field(
            "after",
            "the same of what stands there since",
            lambda each: [_named(held) for held in each.after],
            show=_names,
        ),
        Field("undoes", "number of the promotion that it took back, or null", lambda each: each.undoes),
        Field(
            "undone_by", "number of the promotion that took it back, or null", lambda each: each.undone_by, column=True
        ),
    ),
)


def order_options(function: F) -> F:
    """Add --force, --reason and --dry-run."""
    function = click.option("--dry-run", is_flag=True, help="Only show what would change.")(function)
    function = click.option("--reason", default="", metavar="TEXT", help="Why it goes out of order; is recorded.")(
        function
    )
    return click.option("--force", is_flag=True, help="Promote out of order; needs a --reason.")(function)


def promotion_options(function: F) -> F:
    """Add --to-environment, --force, --reason and --dry-run."""
    option = click.option(
        "--to-environment",
        "--to-lifecycle-environment",
        "environment",
        required=True,
        metavar="LABEL",
        help="Lifecycle environment that it goes into.",
    )
    return option(order_options(function))


def carry_out(run: Run, ctx: "Context", plan: PromotionPlan, *, dry_run: bool) -> None:
    """Do what the plan says, unless it is only to be shown, and show it."""
    from issbox.workflows.environments import promoting

    record = None if dry_run else promoting.promote(ctx, plan)
    for note in plan.notes:
        run.say(note)
    if record is not None:
        run.say(f"{plan.environment} changed; `issbox promotion undo {record.id}` takes it back.")
    elif not plan.changes:
        run.say(f"{plan.environment} is so already: nothing to do.")
    run.show(PLAN, Promoted(plan, record, dry_run))
