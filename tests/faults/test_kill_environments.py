"""kill -9 at every named step of an import that takes over lifecycle environments: all of it is there, or nothing."""

from pathlib import Path

import pytest
from makers.boxes import KEY, Gap

from issbox.manifest import ScopeKind
from issbox.model import LIBRARY
from issbox.workflows.environments import environments, promoting
from issbox.workflows.exports import ExportRequest, export, plan_export
from issbox.workflows.imports.carried_environments import STEPS

AFTER_COMMIT = {"switch-links", "switch-environments"}


def carry(gap: Gap) -> Path:
    """Promote what the outside holds to dev there, and export it with the environments."""
    gap.outside.run("synchronize")
    ctx = gap.outside.context()
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    promoting.promote(ctx, promoting.plan_repository_promotion(ctx, KEY, 1, "dev"))
    request = ExportRequest(organization="acme", scope=ScopeKind.LIBRARY, with_environments=True)
    return Path(export(ctx, plan_export(ctx, request), gap.media).path)


def seen(gap: Gap) -> bytes | None:
    """Give the repomd.xml that hosts of dev see inside."""
    path = gap.inside.context().store.state_dir / "content/acme/dev/custom/tools/base/repodata/repomd.xml"
    return path.read_bytes() if path.exists() else None


def there(gap: Gap) -> list[str]:
    return [each.label for each in environments.list_environments(gap.inside.context(), "acme")]


@pytest.mark.parametrize("step", ["store-files", "record-versions", *STEPS, "switch-links"])
def test_with_the_import(gap: Gap, step: str) -> None:
    bundle = carry(gap)
    gap.inside.run("import-environments", bundle, kill=step)
    gap.inside.restart()
    gap.inside.check()
    done = step in AFTER_COMMIT
    assert there(gap) == ([LIBRARY, "dev"] if done else [LIBRARY])
    assert seen(gap) == (gap.outside.repomd() if done else None)
    gap.inside.run("import-environments", bundle)
    gap.inside.check()
    assert seen(gap) == gap.inside.repomd() == gap.outside.repomd()
    assert len(promoting.list_promotions(gap.inside.context(), "acme")) == 1


@pytest.mark.parametrize("step", STEPS)
def test_after_it(gap: Gap, step: str) -> None:
    bundle = carry(gap)
    gap.inside.run("import", bundle)
    gap.inside.run("import-environments", bundle, kill=step)
    gap.inside.restart()
    gap.inside.check()
    done = step in AFTER_COMMIT
    assert there(gap) == ([LIBRARY, "dev"] if done else [LIBRARY])
    assert seen(gap) == (gap.outside.repomd() if done else None)
    gap.inside.run("import-environments", bundle)
    assert seen(gap) == gap.outside.repomd()
