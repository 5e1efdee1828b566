"""What a promotion costs with many hosts, beside the one statement that marks their certificates. Run by `make bench`.

Both change the same rows of the same database, in turns. Believe the ratios, not the seconds.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from issbox.config import load_settings
from issbox.model import (
    LIBRARY,
    Actor,
    Content,
    FileKind,
    Held,
    HostProfile,
    LifecycleEnvironment,
    Package,
    Product,
    Repository,
    RepositoryFile,
    RepositoryKey,
    VersionOrigin,
)
from issbox.progress import Silent
from issbox.rules.environments.promoting import PromotionPlan, plan_promotion
from issbox.store import Store, create_store
from issbox.store.profiles import profile_id
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.context import Context
from issbox.workflows.environments.promotion_effects import with_effect

HOSTS = 100_000
CONTENTS = 500
ROUNDS = 5
MOST_TIMES_THE_STATEMENT = 3.0
MOST_SECONDS_OF_PLAN = 1.0


def main() -> int:
    """Measure and print."""
    arguments = parse(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="issbox-promotions-") as directory:
        ctx = make_box(Path(directory), arguments.hosts, arguments.contents)
        with ctx.store.session():
            measure_promotion(ctx, arguments.hosts, arguments.rounds)
            measure_plan(ctx, arguments.hosts, arguments.contents, arguments.rounds)
    return 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=HOSTS, help=f"in the environment ({HOSTS})")
    parser.add_argument("--contents", type=int, default=CONTENTS, help=f"in the product ({CONTENTS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"medians are of so many rounds ({ROUNDS})")
    return parser.parse_args(words)


def make_box(directory: Path, hosts: int, contents: int, public_keys: Sequence[str] = ("",)) -> Context:
    """Make a box with hosts of these keys in dev and a product with repositories; nothing is promoted."""
    store = create_store(directory / "state", None)
    ctx = Context(
        store,
        load_settings({"ISSBOX_STATE_DIR": str(directory / "state"), "HOME": str(directory)}),
        Actor("benchmark", "local"),
        lambda: datetime.now(UTC),
        Silent(),
    )
    with store.session(), store.transaction():
        store.organizations.create("Acme", "Acme")
        store.products.create(Product("Acme", "tools", "Tools"))
        store.environments.create(LifecycleEnvironment("Acme", "dev", "Dev", LIBRARY))
        for number in range(contents):
            fill(store, number)
        register(store, hosts, public_keys=public_keys)
    return ctx


def key_of(number: int) -> RepositoryKey:
    """Name a repository."""
    return RepositoryKey("Acme", "tools", f"r{number}")


def fill(store: Store, number: int) -> None:
    """Make a repository with one version of one package."""
    key = key_of(number)
    path = f"custom/tools/r{number}"
    store.repositories.create(
        Repository(key, f"R{number}", Content(f"{number}", f"c{number}", f"C{number}", f"/{path}"), path)
    )
    digest = f"{number:064x}"
    package = Package(f"p{number}", 0, "1", "1", "noarch", "sha256", digest)
    with store.versions.draft(key) as draft:
        draft.add([RepositoryFile("p.rpm", 1, digest, FileKind.PACKAGE, package)])
        store.versions.commit(
            [draft],
            created_at=datetime.now(UTC),
            origin=VersionOrigin.SYNCHRONIZE,
            source="",
            repomd={key: digest},
        )


def register(store: Store, hosts: int, organization: str = "Acme", public_keys: Sequence[str] = ("",)) -> None:
    """Write the rows of so many hosts of the box's first organization, in dev, that have a certificate each."""
    profile = profile_id(organization, HostProfile(("dev",), ("x86_64",)))
    database: Any = store.database
    stamp = datetime.now(UTC).isoformat()
    database.connection().executemany(
        "INSERT INTO consumer (organization_id, uuid, name, type, facts, profile_id, created_at, public_key,"
        " release, purpose, installed) VALUES (1, ?, ?, 'system', '{}', ?, ?, ?, '', '{}', '[]')",
        (
            (f"{number:032x}", f"host{number}", profile, stamp, public_keys[number % len(public_keys)])
            for number in range(hosts)
        ),
    )
    database.execute_sql(
        "INSERT INTO entitlement (uid, consumer_id, product_id, stale, serial) "
        "SELECT uuid, id, NULL, 0, id FROM consumer"
    )


def measure_promotion(ctx: Context, hosts: int, rounds: int) -> None:
    """Promote one content, and mark as many certificates with the bare statement, in turns."""
    bare, whole = [], []
    for number in range(rounds):
        bare.append(timed(lambda: run_statement(ctx)))
        clean(ctx)
        whole.append(timed(lambda number=number: promote(ctx, number)))
        marked = ctx.store.entitlements.count_stale("Acme")
        assert marked == hosts, f"{marked} of {hosts} certificates were marked"
        clean(ctx)
    ratio = median(one / other for one, other in zip(whole, bare, strict=True))
    verdict = "met" if ratio <= MOST_TIMES_THE_STATEMENT else "MISSED"
    print(
        f"promotion into an environment with {hosts} hosts: {1000 * median(whole):.0f} ms, the statement alone "
        f"{1000 * median(bare):.0f} ms: {ratio:.2f} times (aim {MOST_TIMES_THE_STATEMENT}): {verdict}"
    )


def run_statement(ctx: Context) -> None:
    """Mark everything in one statement and nothing else."""
    database: Any = ctx.store.database
    with ctx.store.transaction():
        database.execute_sql("UPDATE entitlement SET stale = 1 WHERE stale = 0")


def clean(ctx: Context) -> None:
    """Let nothing be stale."""
    database: Any = ctx.store.database
    with ctx.store.transaction():
        database.execute_sql("UPDATE entitlement SET stale = 0")


def promote(ctx: Context, number: int) -> None:
    """Do the transaction of a lazy promotion."""
    with ctx.store.transaction(), certificates_follow(ctx, "Acme"):
        ctx.store.promotions.change("Acme", "dev", hold_=[Held(key_of(number), 1)], drop=[])


def measure_plan(ctx: Context, hosts: int, contents: int, rounds: int) -> None:
    """Plan the promotion of all contents at once."""
    environments = ctx.store.environments.list("Acme")
    wanted = [Held(key_of(each), 1, snapshot=ctx.store.catalogues.described(key_of(each))) for each in range(contents)]
    found: list[PromotionPlan] = []

    def plan() -> None:
        present = [each.held for each in ctx.store.promotions.list("Acme", "dev")]
        bare = plan_promotion(environments, environments[1], present, wanted, subject="all", where=[LIBRARY])
        found.append(with_effect(ctx, bare))

    seconds = median(timed(plan) for _ in range(rounds))
    assert found[-1].effect.hosts.number == hosts, "the plan counts all hosts"
    verdict = "met" if seconds <= MOST_SECONDS_OF_PLAN else "MISSED"
    print(f"plan for {hosts} hosts and {contents} contents: {seconds:.2f} s (aim {MOST_SECONDS_OF_PLAN} s): {verdict}")


def timed(work: Any) -> float:
    """Give how long something takes, in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        os.umask(0o022)
        sys.exit(main())
    sys.exit(130)
