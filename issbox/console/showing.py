"""How the console writes times, counts, differences and plans."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from issbox.model import Advisory, Nevra
from issbox.names import format_size, plural
from issbox.rules.content.comparing import ContentDifference
from issbox.rules.environments.promoting import ChangeKind, PlannedChange, PromotionPlan

_MOST: Final = 2000
"""Lines of one kind that a difference shows."""
_SIGNS: Final = {ChangeKind.IN: "+", ChangeKind.OUT: "-", ChangeKind.REPLACED: "~", ChangeKind.KEPT: "="}


def when(time: datetime | None) -> str:
    """Give a time as `2026-11-01 12:30`, UTC; nothing for none."""
    return "" if time is None else time.strftime("%Y-%m-%d %H:%M")


def percent(done: int, whole: int) -> str:
    """Give `42%`; nothing when the whole is not known."""
    return f"{min(100, 100 * done // whole)}%" if whole > 0 else ""


def progress_words(files: int, expected_files: int, size: int, expected_size: int, noun: str = "file") -> str:
    """Give how far work is: share, files (or what else is counted) and bytes, as far as they are known."""
    share = percent(size, expected_size) or percent(files, expected_files)
    of_files = f"{files}/{plural(expected_files, noun)}" if expected_files else plural(files, noun) if files else ""
    of_size = f"{format_size(size)} of {format_size(expected_size)}" if expected_size else ""
    return ", ".join(part for part in (share, of_files, of_size) if part)


def difference_summary(difference: ContentDifference) -> str:
    """Give the numbers of a difference in one line."""
    parts = (
        (len(difference.added), "+", "package"),
        (len(difference.updated), "~", "package"),
        (len(difference.removed), "-", "package"),
        (len(difference.errata_gained), "+", "advisory"),
        (len(difference.errata_lost), "-", "advisory"),
        (len(difference.cves_gained), "+", "CVE"),
    )
    words = [f"{sign}{plural(number, noun)}" for number, sign, noun in parts if number]
    return ", ".join(words) or "the same packages"


def difference_lines(difference: ContentDifference) -> Iterator[str]:
    """Give a difference as a diff: `+` comes, `-` goes, `~` becomes another version."""
    yield from _limited([f"+ {package(each)}" for each in difference.added])
    yield from _limited([f"~ {package(old)} -> {_version(new)}" for old, new in difference.updated])
    yield from _limited([f"- {package(each)}" for each in difference.removed])
    yield from _limited([f"= {package(each)} (the same version, another file)" for each in difference.rebuilt])
    yield from _limited([f"+ {_advisory(each)}" for each in difference.errata_gained])
    yield from _limited([f"- {_advisory(each)}" for each in difference.errata_lost])
    if difference.cves_gained:
        yield f"+ fixes {' '.join(difference.cves_gained)}"
    if difference.cves_lost:
        yield f"- fixes no longer {' '.join(difference.cves_lost)}"


def package(each: Nevra) -> str:
    """Give name, version and architecture of a package."""
    return f"{each.name}-{_version(each)}.{each.arch}"


def plan_lines(plan: PromotionPlan) -> tuple[str, ...]:
    """Give what a promotion plan changes, content by content, and what a person should know."""
    lines: list[str] = []
    for change in plan.changes:
        lines.append(f"{_SIGNS[change.kind]} {change.key.short}: {_versions(change)}")
        lines.extend(f"    {line}" for line in difference_lines(change.difference))
    if not plan.changes:
        lines.append("Nothing changes: the environment is so already.")
    lines.extend(f"Note: {note}" for note in plan.notes)
    return tuple(lines)


def refusal_lines(plan: PromotionPlan) -> tuple[str, ...]:
    """Give every reason against a plan, with what to do about it."""
    if not plan.changes and not plan.refusals:
        return ("There is nothing to do.",)
    return tuple(f"{each.message}. {each.hint}" for each in plan.refusals)


def _versions(change: PlannedChange) -> str:
    before = "nothing" if change.before is None else _held(change.before.number, str(change.before.view_version or ""))
    after = "nothing" if change.after is None else _held(change.after.number, str(change.after.view_version or ""))
    return f"{before} -> {after} ({difference_summary(change.difference)})"


def _held(number: int, view: str) -> str:
    return f"version {number}" + (f" of {view}" if view else "")


def _version(each: Nevra) -> str:
    epoch = f"{each.epoch}:" if each.epoch else ""
    return f"{epoch}{each.version}-{each.release}"


def _advisory(each: Advisory) -> str:
    severity = f" {each.severity}" if each.severity and each.severity.casefold() != "none" else ""
    return f"{each.id} [{each.type}{severity}] {each.title}"


def _limited(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"  ... and {len(lines) - _MOST} more"
