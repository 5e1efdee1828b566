"""Regenerations as jobs: done in the background, seen, paused, cancelled, and gone on with after a crash."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from makers.boxes import KEY
from makers.fleets import FACTS, Fleet, make_fleet

from issbox.config.settings import JobSettings
from issbox.errors import BusyError, NotFoundError, NotPermittedError, WrongStateError
from issbox.files import FileLock
from issbox.job_running import work_through
from issbox.model import Consumer, Job, JobState, RegenerationScope, RegenerationState, Role
from issbox.workflows.appliance.upkeep import collect_garbage
from issbox.workflows.certificates import regenerating
from issbox.workflows.certificates.regenerating import get_regeneration, start_regeneration
from issbox.workflows.content import catalog
from issbox.workflows.context import Context
from issbox.workflows.hosts import registering
from issbox.workflows.job_kinds.regeneration import RegenerateJob
from issbox.workflows.job_kinds.upkeep import AuditJob
from issbox.workflows.job_progress import JobReporter
from issbox.workflows.jobs import cancel_job, create_job, get_job, next_job
from issbox.workflows.people import users

ALL = RegenerationScope("acme")
ANEW = RegenerationScope("acme", unchanged=True)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setattr(regenerating, "BATCH", 2)
    return make_fleet(tmp_path)


@pytest.fixture
def hosts(fleet: Fleet) -> list[Consumer]:
    """Five hosts, all with certificates; those in dev have stale ones."""
    hosts = [fleet.host(f"h{each}", "dev" if each < 3 else "prod") for each in range(5)]
    serials(fleet, hosts)
    fleet.promote(KEY, "dev")
    return hosts


def serials(fleet: Fleet, hosts: list[Consumer]) -> list[int]:
    return [fleet.certificate(host).serial for host in hosts]


def ask(fleet: Fleet, scope: RegenerationScope = ALL) -> Job:
    return create_job(fleet.ctx, RegenerateJob(start_regeneration(fleet.ctx, scope).id))


def number(job: Job) -> int:
    found = job.parameters["regeneration"]
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize(
    ("scope", "total"),
    [
        (ALL, 3),
        (RegenerationScope("acme", environment="dev"), 3),
        (RegenerationScope("acme", environment="prod", unchanged=True), 2),
        (RegenerationScope("acme", product="tools", unchanged=True), 5),
        (ANEW, 5),
    ],
)
def test_who_is_meant(fleet: Fleet, hosts: list[Consumer], scope: RegenerationScope, total: int) -> None:
    job = ask(fleet, scope)
    assert (job.subject, job.organization) == (f"certificates: {scope}", "acme")
    (done,) = work_through(fleet.ctx)
    assert done.state is JobState.FINISHED
    assert done.result == {
        "regeneration": 1, "state": "done", "total": total, "done": total, "kept": 0, "failed": 0,
    }  # fmt: skip
    assert (done.progress.files, done.progress.expected_files) == (total, total)
    assert fleet.stale(*hosts) == ({"h0", "h1", "h2"} if scope.environment == "prod" else set())


def test_one_host(fleet: Fleet, hosts: list[Consumer]) -> None:
    ask(fleet, RegenerationScope("acme", consumer=hosts[0].uuid))
    work_through(fleet.ctx)
    assert fleet.stale(*hosts) == {"h1", "h2"}
    with pytest.raises(NotFoundError):
        ask(fleet, RegenerationScope("acme", consumer="nobody"))


def test_cancelled_before_it_begins(fleet: Fleet, hosts: list[Consumer]) -> None:
    job = ask(fleet)
    assert cancel_job(fleet.ctx, job.id).state is JobState.CANCELLED
    assert get_regeneration(fleet.ctx, number(job)).state is RegenerationState.CANCELLED
    with pytest.raises(WrongStateError):
        create_job(fleet.ctx, RegenerateJob(number(job)))
    assert work_through(fleet.ctx) == []
    assert fleet.stale(*hosts) == {"h0", "h1", "h2"}


def after_the_first_batch(monkeypatch: pytest.MonkeyPatch, deed: Any) -> None:
    """Let something happen once the first batch is done."""
    real, seen = regenerating._batch, []

    def batch(*words: Any) -> int:
        looked_at = real(*words)
        seen.append(looked_at)
        if len(seen) == 1:
            deed(words[0])
        return looked_at

    monkeypatch.setattr(regenerating, "_batch", batch)


def test_cancelled_while_it_runs(fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch) -> None:
    job = ask(fleet)

    def cancel(acting: Context) -> None:
        cancel_job(fleet.ctx, job.id)
        assert isinstance(acting.progress, JobReporter)
        assert acting.progress.cancelled.wait(10), "the job looks by itself whether it is to end"

    after_the_first_batch(monkeypatch, cancel)
    (done,) = work_through(fleet.ctx)
    assert done.state is JobState.CANCELLED
    assert get_regeneration(fleet.ctx, number(job)).state is RegenerationState.CANCELLED
    assert len(fleet.stale(*hosts)) == 1, "what was issued stays"


def test_paused_and_gone_on_with(fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch) -> None:
    job = ask(fleet)
    with monkeypatch.context() as patched:
        after_the_first_batch(patched, lambda _: regenerating.pause_regeneration(fleet.ctx, number(job)))
        (rests,) = work_through(fleet.ctx)
    assert (rests.state, rests.result["state"], rests.result["done"]) == (JobState.FINISHED, "paused", 2)
    regenerating.resume_regeneration(fleet.ctx, number(job))
    create_job(fleet.ctx, RegenerateJob(number(job)))
    (done,) = work_through(fleet.ctx)
    assert (done.result["state"], done.result["done"]) == ("done", 3)
    assert (done.progress.files, done.progress.expected_files) == (1, 1), "only what was left"


def test_ended_by_its_own_command(fleet: Fleet, hosts: list[Consumer]) -> None:
    job = ask(fleet)
    regenerating.cancel_regeneration(fleet.ctx, number(job))
    (done,) = work_through(fleet.ctx)
    assert (done.state, done.result["state"]) == (JobState.FINISHED, "cancelled")
    assert len(fleet.stale(*hosts)) == 3


def test_goes_on_after_its_worker_ends(fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch) -> None:
    job, stop = ask(fleet, ANEW), threading.Event()
    before = serials(fleet, hosts)
    with monkeypatch.context() as patched:
        after_the_first_batch(patched, lambda _: stop.set())
        (left,) = work_through(fleet.ctx, stop)
    assert left.state is JobState.QUEUED
    (done,) = work_through(fleet.ctx)
    assert (done.id, done.attempts, done.result["done"]) == (job.id, 2, 5)
    assert not set(before) & set(serials(fleet, hosts))
    with fleet.ctx.store.session():
        issued = [len(fleet.ctx.store.certificates.of(host.uuid)) for host in hosts]
    assert len(set(issued)) == 1, "no host got two"


def test_cancelled_after_its_process_died(fleet: Fleet, hosts: list[Consumer]) -> None:
    job = ask(fleet)
    with fleet.ctx.store.session():
        fleet.ctx.store.jobs.claim(job.id, fleet.ctx.clock())
    cancel_job(fleet.ctx, job.id)
    assert next_job(fleet.ctx) is None
    assert get_job(fleet.ctx, job.id).state is JobState.CANCELLED
    assert get_regeneration(fleet.ctx, number(job)).state is RegenerationState.CANCELLED


def elsewhere(fleet: Fleet, label: str) -> Consumer:
    """Make an organization with one host that has no certificate yet."""
    catalog.create_organization(fleet.ctx, label=label, name=label)
    catalog.create_product(fleet.ctx, organization=label, label="own", name="Own")
    return registering.register(fleet.ctx, organization=label, name="there", facts=FACTS)


def test_all_organizations_at_once(fleet: Fleet, hosts: list[Consumer]) -> None:
    elsewhere(fleet, "globex")
    catalog.create_organization(fleet.ctx, label="empty", name="Empty")
    begun = regenerating.start_everywhere(fleet.ctx)
    assert [(each.scope, each.total) for each in begun] == [(ALL, 3), (RegenerationScope("globex"), 1)]
    for each in begun:
        create_job(fleet.ctx, RegenerateJob(each.id))
    assert {job.result["done"] for job in work_through(fleet.ctx)} == {3, 1}
    assert fleet.stale(*hosts) == set()
    assert regenerating.start_everywhere(fleet.ctx) == []
    assert [each.total for each in regenerating.start_everywhere(fleet.ctx, unchanged=True)] == [5, 1]


def test_all_organizations_are_those_that_one_manages(fleet: Fleet, hosts: list[Consumer]) -> None:
    elsewhere(fleet, "globex")
    for name, role in (("ann", Role.ORG_ADMIN), ("pro", Role.PROMOTER)):
        users.create_user(fleet.ctx, name=name)
        users.grant_role(fleet.ctx, name, role, organization="acme")
    (only,) = regenerating.start_everywhere(fleet.ctx.acting_as("ann", "local"))
    assert only.scope == ALL
    with pytest.raises(NotPermittedError):
        regenerating.start_everywhere(fleet.ctx.acting_as("pro", "local"))
    assert len(regenerating.list_regenerations(fleet.ctx, "globex")) == 0


def test_what_ended_long_ago_is_forgotten(fleet: Fleet, hosts: list[Consumer]) -> None:
    settings = replace(fleet.ctx.settings, jobs=JobSettings(keep_days=30))
    ctx = replace(fleet.ctx, settings=settings)
    by_hand = start_regeneration(ctx, ALL)
    lock = regenerating.lock_path(ctx, by_hand.id)
    lock.touch()
    regenerating.cancel_regeneration(ctx, by_hand.id)
    job = ask(fleet)
    work_through(ctx)
    paused = regenerating.pause_regeneration(ctx, start_regeneration(ctx, ANEW).id)
    newest = regenerating.cancel_regeneration(ctx, start_regeneration(ctx, ANEW).id)

    def later(days: int) -> Context:
        return replace(ctx, clock=lambda: ctx.clock() + timedelta(days=days))

    assert collect_garbage(later(29), dry_run=True).regenerations == 0
    assert collect_garbage(later(31), dry_run=True).regenerations == 1, "the newest job is told of"
    assert [each.id for each in regenerating.list_regenerations(ctx, "acme")] == [newest.id, paused.id, number(job), 1]
    assert collect_garbage(later(31), dry_run=False).regenerations == 1
    assert not lock.exists()
    assert [each.id for each in regenerating.list_regenerations(ctx, "acme")] == [newest.id, paused.id, number(job)]
    create_job(ctx, AuditJob())
    assert collect_garbage(later(31), dry_run=False).regenerations == 1, "with its job"
    assert [each.id for each in regenerating.list_regenerations(ctx, "acme")] == [newest.id, paused.id]
    assert start_regeneration(ctx, ANEW).id > newest.id


def test_two_at_once_do_not_issue_twice(fleet: Fleet, hosts: list[Consumer]) -> None:
    job = ask(fleet)
    lock = FileLock(fleet.ctx.store.locks / f"regeneration-{number(job)}.lock")
    with lock, pytest.raises(BusyError):
        regenerating.run_regeneration(fleet.ctx, number(job))
    (done,) = work_through(fleet.ctx)
    assert done.result["state"] == "done"
    assert list(fleet.ctx.store.locks.glob("regeneration-*")) == []


def test_for_org_admins_only(fleet: Fleet, hosts: list[Consumer]) -> None:
    for name, role in (("vic", Role.VIEWER), ("pro", Role.PROMOTER), ("ann", Role.ORG_ADMIN)):
        users.create_user(fleet.ctx, name=name)
        users.grant_role(fleet.ctx, name, role, organization="acme")
    job = ask(fleet)
    for name in ("vic", "pro"):
        with pytest.raises(NotPermittedError):
            create_job(fleet.ctx.acting_as(name, "local"), RegenerateJob(number(job)))
    ann = fleet.ctx.acting_as("ann", "local")
    assert create_job(ann, RegenerateJob(start_regeneration(ann, ALL).id)).user == "ann"
