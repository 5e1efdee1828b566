"""Jobs: asked for, worked through, seen, stopped, and begun again when their process dies."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import KEY, Gap, make_gap
from makers.recorder import Recorder

from issbox.errors import (
    InterruptedByUserError,
    JobFailedError,
    NotFoundError,
    NotPermittedError,
    PlanChangedError,
    StoreDamagedError,
    WrongStateError,
)
from issbox.files import FileLock
from issbox.job_running import JobThreads, begin, service_runs, wait_for, work_through
from issbox.manifest import ScopeKind
from issbox.model import (
    LIBRARY,
    SLIP_FORMAT,
    SLIP_FORMAT_VERSION,
    BundleForm,
    Job,
    JobProgress,
    JobState,
    Role,
    Slip,
    SlipForm,
    SlipItem,
    SlipReason,
)
from issbox.wiring import now
from issbox.workflows import exports
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.job_kinds import KINDS, JobParameters, from_row, to_row
from issbox.workflows.job_kinds.content import PublishJob, SynchronizeJob
from issbox.workflows.job_kinds.content_promotions import Deed, PromoteContentJob
from issbox.workflows.job_kinds.exporting import ExportJob, RecutJob
from issbox.workflows.job_kinds.importing import ImportJob
from issbox.workflows.job_kinds.promotions import PromoteJob, plan_digest
from issbox.workflows.job_kinds.regeneration import RegenerateJob
from issbox.workflows.job_kinds.upkeep import AuditJob, GarbageJob, InboxJob
from issbox.workflows.job_progress import JobReporter
from issbox.workflows.jobs import MOST_ATTEMPTS, any_left, cancel_job, create_job, get_job, list_jobs, next_job, run_job
from issbox.workflows.people import users


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    return make_gap(tmp_path)


@pytest.fixture
def ctx(gap: Gap) -> Context:
    return gap.outside.context()


def user(ctx: Context, name: str, role: Role) -> Context:
    users.create_user(ctx, name=name)
    users.grant_role(ctx, name, role, organization="acme")
    return ctx.acting_as(name, "192.0.2.1")


def test_a_job_is_done_as_the_user_who_asked_for_it(ctx: Context) -> None:
    admin = user(ctx, "ada", Role.ORG_ADMIN)
    job = create_job(admin, SynchronizeJob(KEY))
    assert (job.state, job.kind, job.subject, job.user) == (JobState.QUEUED, "synchronize", "tools/base", "ada")
    (done,) = work_through(ctx)
    assert (done.state, done.result["packages"], done.attempts) == (JobState.FINISHED, 2, 1)
    with ctx.store.session():
        synchronized = [each for each in ctx.store.audit.list() if each.action == "repository.synchronize"]
    assert [each.actor.name for each in synchronized] == ["ada"]
    assert not any_left(ctx)


def test_what_would_be_refused_is_refused_at_once(ctx: Context) -> None:
    viewer = user(ctx, "vic", Role.VIEWER)
    with pytest.raises(NotPermittedError):
        create_job(viewer, SynchronizeJob(KEY))
    with pytest.raises(NotFoundError):
        create_job(ctx, SynchronizeJob(replace(KEY, label="none")))
    assert list_jobs(ctx) == []


def test_roles_that_are_gone_when_a_job_begins_stop_it(ctx: Context) -> None:
    admin = user(ctx, "ada", Role.ORG_ADMIN)
    create_job(admin, SynchronizeJob(KEY))
    users.revoke_role(ctx, "ada", Role.ORG_ADMIN, organization="acme")
    (done,) = work_through(ctx)
    assert (done.state, done.error_code) == (JobState.FAILED, "not-found")


def test_users_see_jobs_as_far_as_their_roles_reach(ctx: Context) -> None:
    viewer, stranger = user(ctx, "vic", Role.VIEWER), ctx.acting_as("nobody", "local")
    mine, box = create_job(ctx, SynchronizeJob(KEY)), create_job(ctx, GarbageJob())
    assert [job.id for job in list_jobs(ctx)] == [box.id, mine.id]
    assert [job.id for job in list_jobs(viewer)] == [mine.id]
    assert list_jobs(stranger) == []
    with pytest.raises(NotFoundError):
        get_job(stranger, mine.id)
    with pytest.raises(NotPermittedError):
        cancel_job(viewer, mine.id)


def test_a_queued_job_is_cancelled_at_once_and_an_ended_one_not_at_all(ctx: Context) -> None:
    job = create_job(ctx, SynchronizeJob(KEY))
    assert cancel_job(ctx, job.id).state is JobState.CANCELLED
    assert work_through(ctx) == []
    with pytest.raises(WrongStateError):
        cancel_job(ctx, job.id)


def test_a_running_job_is_cancelled_at_its_next_step(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_until_told(self: SynchronizeJob, acting: Context) -> dict[str, object]:
        acting.progress.step("wait", "here")
        cancel_job(ctx, job.id)
        for _ in range(600):
            acting.progress.advance(files=1, size=2)
            threading.Event().wait(0.02)
        raise AssertionError("nobody stopped it")

    job = create_job(ctx, SynchronizeJob(KEY))
    monkeypatch.setattr(SynchronizeJob, "run", run_until_told)
    (done,) = work_through(ctx)
    assert done.state is JobState.CANCELLED
    assert done.progress.step == "wait: here"
    assert done.progress.size == 2 * done.progress.files > 0


def test_a_job_goes_back_to_the_queue_when_its_worker_ends(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    def run_to_the_end_of_the_worker(self: SynchronizeJob, acting: Context) -> dict[str, object]:
        stop.set()
        acting.progress.advance()
        return {}

    job = create_job(ctx, SynchronizeJob(KEY))
    with monkeypatch.context() as patched:
        patched.setattr(SynchronizeJob, "run", run_to_the_end_of_the_worker)
        (left,) = work_through(ctx, stop)
    assert left.state is JobState.QUEUED
    assert [each.state for each in work_through(ctx)] == [JobState.FINISHED]
    assert get_job(ctx, job.id).attempts == 2


def test_a_job_whose_process_died_is_begun_again_but_not_for_ever(ctx: Context) -> None:
    job = create_job(ctx, SynchronizeJob(KEY))
    for attempt in range(1, MOST_ATTEMPTS + 1):
        with ctx.store.session():
            claimed = ctx.store.jobs.claim(job.id, ctx.clock())
        assert claimed is not None
        assert claimed.attempts == attempt
        assert any_left(ctx)
        next_job(ctx)
    assert get_job(ctx, job.id).error_code == "died"
    assert "3 times" in get_job(ctx, job.id).reason


def test_a_job_whose_worker_lives_is_left_to_it(ctx: Context) -> None:
    job = create_job(ctx, SynchronizeJob(KEY))
    with FileLock(ctx.store.locks / f"job-{job.id}.lock"):
        with ctx.store.session():
            ctx.store.jobs.claim(job.id, ctx.clock())
        assert next_job(ctx) is None
        assert not any_left(ctx)
        assert run_job(ctx, job.id) is None


def test_who_waits_hears_of_a_goal_that_grows(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    job = create_job(ctx, SynchronizeJob(KEY))
    looks = iter(
        (
            replace(job, state=JobState.RUNNING, progress=JobProgress("fetch-packages", files=1)),
            replace(
                job, state=JobState.FINISHED, progress=JobProgress("fetch-packages", 5, 5, size=90, expected_size=90)
            ),
        )
    )
    monkeypatch.setattr("issbox.job_running.get_job", lambda *_: next(looks))
    monkeypatch.setattr("issbox.job_running.see_to_it", lambda *_: False)
    heard = Recorder()
    wait_for(replace(ctx, progress=heard), job.id, look=0)
    assert heard.expected == {"fetch-packages": (5, 90)}
    assert heard.advanced == {"fetch-packages": (5, 90)}


def test_a_failure_is_kept_with_what_to_do(gap: Gap, ctx: Context) -> None:
    (gap.upstream / "repodata/repomd.xml").unlink()
    job = begin_and_work(ctx, SynchronizeJob(KEY))
    assert job.state is JobState.FAILED
    assert job.reason
    assert job.hint
    with pytest.raises(JobFailedError, match="tools/base"):
        wait_for(ctx, job.id)


def begin_and_work(ctx: Context, parameters: SynchronizeJob | ExportJob | PromoteJob | AuditJob) -> Job:
    job = create_job(ctx, parameters)
    work_through(ctx)
    return get_job(ctx, job.id)


def test_a_bug_fails_the_job_and_not_the_worker(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(self: SynchronizeJob, acting: Context) -> dict[str, object]:
        raise RuntimeError("boom")

    monkeypatch.setattr(SynchronizeJob, "run", fall_over)
    assert begin_and_work(ctx, SynchronizeJob(KEY)).error_code == "bug"


def test_exports_and_promotions_are_done(gap: Gap, ctx: Context) -> None:
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    begin_and_work(ctx, SynchronizeJob(KEY))
    request = exports.ExportRequest(
        organization="acme", scope=ScopeKind.LIBRARY, destination="far", form=BundleForm.TAR
    )
    done = begin_and_work(ctx, ExportJob(request, str(gap.media)))
    assert done.state is JobState.FINISHED
    assert Path(str(done.result["path"])).exists()
    plan = promoting.plan_repository_promotion(ctx, KEY, 1, "dev")
    promotion = PromoteJob("acme", "dev", plan_digest(plan), repository=KEY, number=1)
    assert begin_and_work(ctx, promotion).result["promotion"] == 1
    with pytest.raises(PlanChangedError):
        create_job(ctx, promotion)
    assert begin_and_work(ctx, AuditJob()).result["entries"]


def test_parameters_of_every_kind_survive_the_row() -> None:
    request = exports.ExportRequest(
        organization="acme", scope=ScopeKind.REPOSITORY, repositories=(KEY,), form=BundleForm.ISO, volume_size=1 << 30
    )
    slip = Slip(
        format=SLIP_FORMAT,
        format_version=SLIP_FORMAT_VERSION,
        created_at=now(),
        box="far",
        bundle_id="b",
        organization="acme",
        destination="far",
        sequence=2,
        form=SlipForm.CHUNKS,
        items=(SlipItem(number=3, reason=SlipReason.DAMAGED, detail="cut", files=("a/b",)),),
    )
    every: list[JobParameters] = [
        SynchronizeJob(KEY, repair=True),
        ExportJob(request),
        RecutJob(slip, "/media"),
        PublishJob("acme", "servers"),
        PromoteJob("acme", "dev", "00", demote=(KEY,), reason="why"),
        RegenerateJob(3),
        PromoteContentJob("acme", "dev", Deed.DEMOTE, {"1": None}),
        ImportJob("/media/usb", allow_older=True),
        InboxJob(),
        GarbageJob(),
        AuditJob(),
    ]
    assert {each.kind for each in every} == set(KINDS)
    for each in every:
        assert from_row(each.kind, to_row(each)) == each


@pytest.mark.parametrize(("kind", "plain"), [("sing", {}), ("publish", {"view": 3}), ("synchronize", {})])
def test_a_row_that_is_no_job_is_refused(kind: str, plain: dict[str, object]) -> None:
    with pytest.raises(StoreDamagedError):
        from_row(kind, plain)


def test_notes_are_kept_and_bounded(ctx: Context) -> None:
    reporter = JobReporter(ctx, 1, threading.Event())
    for number in range(50):
        reporter.note(f"{number} " + "x" * 10_000)
    notes = reporter.facts().notes
    assert notes[-1].startswith("49 ")
    assert sum(map(len, notes)) < 20_000


def test_a_reporter_stops_when_its_worker_does(ctx: Context) -> None:
    stop = threading.Event()
    reporter = JobReporter(ctx, 1, stop)
    reporter.advance(files=1)
    stop.set()
    with pytest.raises(InterruptedByUserError):
        reporter.advance(files=1)


def test_threads_of_the_service_work_through_jobs(ctx: Context) -> None:
    stop = threading.Event()
    threads = JobThreads(ctx, stop, threads=2, look=0.02)
    threads.start()
    try:
        assert service_runs(ctx)
        job = begin(ctx, SynchronizeJob(KEY))
        assert wait_for(ctx, job.id, look=0.02).state is JobState.FINISHED
    finally:
        stop.set()
        assert threads.stop(30)
    assert not service_runs(ctx)


def test_without_a_service_a_job_outlives_the_process_that_asked_for_it(gap: Gap, ctx: Context) -> None:
    script = (
        "from issbox.job_running import begin\n"
        "from issbox.model import RepositoryKey\n"
        "from issbox.wiring import open_context\n"
        "from issbox.workflows.job_kinds.content import SynchronizeJob\n"
        "begin(open_context(), SynchronizeJob(RepositoryKey('acme', 'tools', 'base')))\n"
    )
    subprocess.run([sys.executable, "-c", script], env=gap.outside.environment(), check=True)
    (job,) = list_jobs(ctx)
    for _ in range(1200):
        if get_job(ctx, job.id).state.over:
            break
        threading.Event().wait(0.05)
    assert get_job(ctx, job.id).state is JobState.FINISHED
