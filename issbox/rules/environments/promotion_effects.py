"""What a promotion means for hosts: the catalogue after it, paths that are named and not there, processors left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from issbox.model import Catalogue, ContentSnapshot, Held, HostProfile, PromotedContent, Repository, RepositoryKey
from issbox.rules.entitlements.arches import fits
from issbox.rules.entitlements.entitlements import supplier
from issbox.rules.environments.promoting import PlannedChange

_BASEARCH = "$basearch"


def held_after(held: Sequence[Held], changes: Iterable[PlannedChange]) -> list[Held]:
    """Give what an environment holds after the changes of a plan; what changes describes its content anew."""
    found = {each.key.source: each for each in held}
    told: dict[str, ContentSnapshot] = {}
    for change in changes:
        if change.after is None:
            found.pop(change.key.source, None)
        else:
            found[change.key.source] = change.after
            if change.after.snapshot is not None:
                told[change.after.snapshot.id] = change.after.snapshot
    return [
        each if each.snapshot is None else replace(each, snapshot=told.get(each.snapshot.id, each.snapshot))
        for _, each in sorted(found.items())
    ]


def catalogue_after(known: Catalogue, environment: str, held: Iterable[Held]) -> Catalogue:
    """Give the catalogue when an environment holds this, sorted by repository."""
    content: dict[str, PromotedContent] = {}
    for each in held:
        if each.snapshot is not None:
            other = content.get(each.snapshot.id)
            override = other.enabled if other is not None and other.enabled is not None else each.enabled
            content[each.snapshot.id] = PromotedContent(each.snapshot, override)
    stage = replace(known.stages[environment], content=content)
    return replace(known, stages={**known.stages, environment: stage})


def missing_paths(held: Iterable[Held], known: Mapping[str, Sequence[str]], shown: Iterable[str]) -> tuple[str, ...]:
    """Give the paths of repositories that there are of the contents held, and that are not shown."""
    contents = {each.snapshot.id for each in held if each.snapshot is not None}
    return tuple(sorted({path for content in contents for path in known.get(content, ())} - set(shown)))


def broken_arches(
    after: Catalogue,
    environment: str,
    held: Iterable[Held],
    repositories: Mapping[RepositoryKey, Repository],
    profiles: Iterable[HostProfile],
) -> tuple[str, ...]:
    """Give content label and processors of hosts that will be told of a content and find nothing for them there.

    Only contents with $basearch in their path are different for each processor.
    """
    there: dict[str, set[str]] = {}
    labels: dict[str, ContentSnapshot] = {}
    for each in held:
        repository = repositories.get(each.key.source)
        if each.snapshot is not None and _BASEARCH in each.snapshot.path and repository is not None:
            labels[each.snapshot.id] = each.snapshot
            there.setdefault(each.snapshot.id, set()).add(repository.variables.get("basearch", ""))
    found = set()
    for profile in profiles:
        for content, arches in there.items():
            gets = supplier(after, profile.environments, content) == environment
            told = gets and fits(labels[content].arches, profile.arches)
            if told and not fits(arches, profile.arches):
                found.add(f"{labels[content].label} for {', '.join(profile.arches)}")
    return tuple(sorted(found))
