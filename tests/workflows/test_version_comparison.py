"""Comparing versions in a real store."""

from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import KEY, PACKAGES, Gap, make_gap
from makers.rpms import Extra, Recipe, Repository, updateinfo, write_repository

from issbox.errors import NotFoundError
from issbox.files import remove_tree
from issbox.workflows.content.comparing import compare_versions
from issbox.workflows.content.synchronize import synchronize


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    """A box with two versions of a repository: packages 0 and 1 with advisory 0, packages 1 and 2 with 0 and 5."""
    gap = make_gap(tmp_path)
    for packages, recipes in ((PACKAGES[:2], [0]), (PACKAGES[1:3], [0, 5])):
        remove_tree(gap.upstream)
        data = updateinfo(Recipe(number, 1) for number in recipes)
        extras = [Extra("updateinfo", "updateinfo.xml", data)]
        write_repository(Repository(gap.upstream, packages, extras, revision=str(recipes)))
        synchronize(gap.outside.context(), KEY)
    return gap


def test_packages_and_advisories_are_compared(gap: Gap) -> None:
    ctx = gap.outside.context()
    found = compare_versions(ctx, KEY, 1, KEY, 2)
    names = [path.name.removesuffix(".rpm") for path in PACKAGES]
    assert [str(each) for each in found.removed] == names[:1]
    assert [str(each) for each in found.added] == names[2:3]
    assert found.updated == ()
    assert found.rebuilt == ()
    assert [each.id for each in found.errata_gained] == ["SAMPLE-2023:000005"]
    assert found.cves_gained == ("CVE-2023-000005",)
    assert found.errata_lost == ()
    assert found.cves_lost == ()
    back = compare_versions(ctx, KEY, 2, KEY, 1)
    assert (back.added, back.removed, back.errata_lost) == (found.removed, found.added, found.errata_gained)
    assert compare_versions(ctx, KEY, 1, KEY, 1).nothing


def test_nothing_at_all_is_compared_too(gap: Gap) -> None:
    ctx = gap.outside.context()
    found = compare_versions(ctx, KEY, None, KEY, 2)
    assert len(found.added) == 2
    assert found.cves_gained == ("CVE-2023-000000", "CVE-2023-000005")
    assert compare_versions(ctx, KEY, 2, KEY, None).errata_lost == found.errata_gained
    with pytest.raises(NotFoundError):
        compare_versions(ctx, KEY, 1, KEY, 3)
    with pytest.raises(NotFoundError):
        compare_versions(ctx, replace(KEY, label="none"), 1, KEY, 1)
