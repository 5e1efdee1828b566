"""Lifecycle environments: labels that paths can carry, and the ways through them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.model import LIBRARY, LifecycleEnvironment
from issbox.rules.environments.environments import check_environment_label, environment_paths


@pytest.mark.parametrize(
    "label", ["content_views", "Content_Views", "custom", "listing", "library", "Library", "", "a b", "a@b"]
)
def test_labels_that_paths_use_otherwise_are_refused(label: str) -> None:
    with pytest.raises(InvalidValueError):
        check_environment_label(label)


def test_other_labels_are_given_back() -> None:
    assert check_environment_label("dev-1_x") == "dev-1_x"


def environment(label: str, prior: str | None) -> LifecycleEnvironment:
    return LifecycleEnvironment("acme", label, label, prior)


def test_paths_branch_anywhere() -> None:
    library, dev, qa = environment(LIBRARY, None), environment("dev", LIBRARY), environment("qa", "dev")
    prod, hotfix = environment("prod", "qa"), environment("hotfix", LIBRARY)
    other = environment("other", "dev")
    assert environment_paths([library, dev, hotfix, qa, other, prod]) == [
        [library, dev, qa, prod],
        [library, dev, other],
        [library, hotfix],
    ]
    assert environment_paths([library]) == [[library]]


@given(st.lists(st.integers(0, 100), max_size=12))
def test_every_environment_is_on_a_path_after_its_prior_one(choices: list[int]) -> None:
    environments = [environment(LIBRARY, None)]
    for number, choice in enumerate(choices):
        environments.append(environment(f"e{number}", environments[choice % len(environments)].label))
    paths = environment_paths(environments)
    assert {each.label for path in paths for each in path} == {each.label for each in environments}
    for path in paths:
        assert [each.prior for each in path] == [None, *(each.label for each in path[:-1])]
    lasts = [path[-1].label for path in paths]
    assert sorted(lasts) == sorted({each.label for each in environments} - {each.prior for each in environments})
