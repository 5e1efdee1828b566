"""The rules that the lifecycle environments of a manifest keep."""

from collections.abc import Callable, Sequence
from typing import Final

from issbox.bundle.field_checks import check, check_path, check_sha256, check_unique, refuse
from issbox.errors import InvalidValueError
from issbox.manifest import ManifestEnvironment, ManifestPromotion
from issbox.model import LIBRARY
from issbox.names import check_label, check_name, check_view_version
from issbox.rules.environments.environments import (
    check_environment_description,
    check_environment_label,
    check_environment_type,
    check_prefix,
)

MAX_ENVIRONMENTS: Final = 1000
MAX_PROMOTIONS: Final = 100_000
"""In all environments together."""


def check_environments(environments: Sequence[ManifestEnvironment]) -> None:
    """Check every rule that this part of the manifest alone can break.

    Each environment comes after its prior one, so that they are a tree below Library. Raises UnsafePathError for the
    path of a repository, and BadManifestError, naming the field, for the rest.
    """
    everywhere = "$.lifecycle_environments"
    if len(environments) > MAX_ENVIRONMENTS:
        refuse(everywhere, f"there are more than {MAX_ENVIRONMENTS}")
    if sum(len(each.promotions) for each in environments) > MAX_PROMOTIONS:
        refuse(everywhere, f"there are more than {MAX_PROMOTIONS} promotions")
    known = {LIBRARY}
    for index, environment in enumerate(environments):
        place = f"{everywhere}[{index}]"
        _check_environment(environment, place)
        if environment.prior not in known:
            refuse(f"{place}.prior", f"{environment.prior[:128]!r} is neither Library nor an environment before it")
        known.add(environment.label)
    check_unique(everywhere, (each.label.casefold() for each in environments))


def _check_environment(environment: ManifestEnvironment, place: str) -> None:
    _hold(f"{place}.label", check_environment_label, environment.label)
    check(f"{place}.name", check_name, environment.name)
    _hold(f"{place}.type", check_environment_type, environment.type)
    _hold(f"{place}.content_prefix", check_prefix, environment.content_prefix)
    _hold(f"{place}.description", check_environment_description, environment.description)
    for index, promotion in enumerate(environment.promotions):
        _check_promotion(promotion, f"{place}.promotions[{index}]")
    check_unique(f"{place}.promotions", (each.path for each in environment.promotions))


def _check_promotion(promotion: ManifestPromotion, place: str) -> None:
    check(f"{place}.content_label", check_name, promotion.content_label)
    check_path(f"{place}.path", promotion.path)
    check_sha256(f"{place}.repomd_sha256", promotion.repomd_sha256)
    if promotion.content_view or promotion.content_view_version:
        check(f"{place}.content_view", check_label, promotion.content_view)
        check(f"{place}.content_view_version", check_view_version, promotion.content_view_version)


def _hold(place: str, rule: Callable[[str], str], text: str) -> None:
    try:
        rule(text)
    except InvalidValueError as error:
        refuse(place, str(error))
