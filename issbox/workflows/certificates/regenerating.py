"""Issuing certificates anew for many hosts: a job that goes on where it was when its process dies, pauses or ends.

Each batch is one transaction: new certificates, revoked serials and the position of the job are there together or not
at all. Its signatures are made before it, so that other writers do not wait for them. A certificate whose content is
the same stays.
"""

import time
from pathlib import Path
from typing import Final

from issbox.errors import WrongStateError
from issbox.files import FileLock
from issbox.model import Regeneration, RegenerationScope, RegenerationState
from issbox.store.entitlements import Pending
from issbox.workflows.certificates.issuing import Issuer
from issbox.workflows.context import Context, Permission

STEPS: Final = ("issue-certificates",)
"""What `run_regeneration` announces."""
BATCH: Final = 50
"""Entitlements in the first transaction."""
_MOST: Final = 1000
_SECONDS: Final = 2.0
"""What a batch may take: somebody may want it to pause, and a crash loses no more."""


def start_regeneration(ctx: Context, scope: RegenerationScope) -> Regeneration:
    """Write down that certificates are to be issued anew; `run_regeneration` does it. Raises NotFoundError."""
    ctx.require(Permission.CERTIFICATE_MANAGE, scope.organization)
    with ctx.store.session(), ctx.store.transaction():
        if scope.consumer is not None:
            ctx.store.consumers.get(scope.consumer)
        job = ctx.store.regenerations.create(scope, ctx.store.entitlements.count(scope), ctx.clock())
        details: dict[str, object] = {"regeneration": job.id, "certificates": job.total, "unchanged": scope.unchanged}
        ctx.audit("certificate.regenerate", str(scope), organization=scope.organization, details=details)
        return job


def start_everywhere(ctx: Context, *, unchanged: bool = False) -> list[Regeneration]:
    """Write down that certificates of all organizations are to be issued anew that who asks may manage as a whole.

    One regeneration for each, all or none of them; an organization where nothing is to be issued gets none. With
    `unchanged` those are meant, too, that would say the same. Raises NotPermittedError.
    """
    with ctx.store.session(), ctx.store.transaction():
        return [start_regeneration(ctx, scope) for scope in count_everywhere(ctx, unchanged=unchanged)]


def count_everywhere(ctx: Context, *, unchanged: bool = False) -> dict[RegenerationScope, int]:
    """Give what `start_everywhere` would begin, and how many entitlements each would look at."""
    ctx.require_anywhere(Permission.CERTIFICATE_MANAGE)
    reach = ctx.reach(Permission.CERTIFICATE_MANAGE)
    with ctx.store.session():
        mine = [each.label for each in ctx.store.organizations.list() if reach.products(each.label).cover(())]
        scopes = [RegenerationScope(label, unchanged=unchanged) for label in mine]
        counts = {scope: ctx.store.entitlements.count(scope) for scope in scopes}
        return {scope: number for scope, number in counts.items() if number}


def lock_path(ctx: Context, job_id: int) -> Path:
    """Give where the lock of a regeneration lies, so that no two processes work at it."""
    return ctx.store.locks / f"regeneration-{job_id}.lock"


def run_regeneration(ctx: Context, job_id: int) -> Regeneration:
    """Issue what is left of a regeneration and give what became of it.

    It ends early, to be gone on with, when somebody pauses it, and for good when somebody cancels it. Raises
    NotFoundError, and BusyError when another process is at it.
    """
    job = get_regeneration(ctx, job_id)
    ctx.require(Permission.CERTIFICATE_MANAGE, job.scope.organization)
    busy = f"another process issues the certificates of the regeneration {job_id}"
    with ctx.store.session(), FileLock(lock_path(ctx, job_id), busy=busy) as lock:
        job = ctx.store.regenerations.get(job_id)
        if job.ended or job.state is RegenerationState.PAUSED:
            return job
        ctx.progress.step("issue-certificates", str(job.scope))
        ctx.progress.expect(files=max(job.total - job.done, 0), size=0)
        ctx.store.regenerations.set_state(job_id, RegenerationState.RUNNING)
        issuer, size = Issuer(ctx), BATCH
        while ctx.store.regenerations.state(job_id) is RegenerationState.RUNNING:
            began = time.monotonic()
            number = _batch(ctx, job, issuer, size)
            if not number:
                break
            ctx.progress.advance(files=number)
            size = next_size(number, time.monotonic() - began)
        done = ctx.store.regenerations.get(job_id)
        if done.ended:
            lock.remove()
        return done


def next_size(number: int, seconds: float) -> int:
    """Give how many entitlements to look at next, after so many that took so long."""
    fitting = int(number * _SECONDS / max(seconds, 0.001))
    return max(BATCH, min(fitting, 2 * number, _MOST))


def _batch(ctx: Context, job: Regeneration, issuer: Issuer, size: int) -> int:
    """Issue the next few certificates and give the number of entitlements looked at; 0 at the end."""
    unchanged = job.scope.unchanged
    issuer.sign_ahead([each.claim for each in _next(ctx, job, size)], unchanged=unchanged)
    with ctx.store.transaction():
        if ctx.store.regenerations.state(job.id) is not RegenerationState.RUNNING:
            return 0
        page = _next(ctx, job, size)
        if not page:
            ctx.store.regenerations.set_state(job.id, RegenerationState.DONE)
            return 0
        issuer.look_again()
        outcomes = issuer.look_at([each.claim for each in page], unchanged=unchanged)
        failed = [each for each in outcomes if each.error is not None]
        issued = sum(1 for each in outcomes if not each.kept)
        if issued:  # who serves content reads the revoked serials again when the audit log has grown
            details: dict[str, object] = {"regeneration": job.id, "certificates": issued}
            ctx.audit("certificate.issue", str(job.scope), organization=job.scope.organization, details=details)
        ctx.store.regenerations.advance(
            job.id,
            position=page[-1].position,
            done=len(outcomes),
            kept=sum(1 for each in outcomes if each.kept and each.error is None),
            failed=len(failed),
            error=f"{failed[-1].entitlement.consumer}: {failed[-1].error}" if failed else None,
        )
        return len(outcomes)


def _next(ctx: Context, job: Regeneration, size: int) -> list[Pending]:
    return ctx.store.entitlements.page(job.scope, ctx.store.regenerations.position(job.id), size)


def get_regeneration(ctx: Context, job_id: int) -> Regeneration:
    """Give one regeneration; raises NotFoundError."""
    ctx.require_anywhere(Permission.CERTIFICATE_MANAGE)
    with ctx.store.session():
        job = ctx.store.regenerations.get(job_id)
    ctx.require(Permission.CERTIFICATE_MANAGE, job.scope.organization)
    return job


def list_regenerations(ctx: Context, organization: str) -> list[Regeneration]:
    """Give the regenerations of an organization, the newest first."""
    ctx.require(Permission.CERTIFICATE_MANAGE, organization)
    with ctx.store.session():
        return ctx.store.regenerations.list(organization)


def pause_regeneration(ctx: Context, job_id: int) -> Regeneration:
    """Let a regeneration rest after the batch that it is at; raises WrongStateError when it has ended."""
    return _change(ctx, job_id, RegenerationState.PAUSED)


def resume_regeneration(ctx: Context, job_id: int) -> Regeneration:
    """Let a regeneration that rests go on by `run_regeneration`; raises WrongStateError when it has ended."""
    return _change(ctx, job_id, RegenerationState.WAITING)


def cancel_regeneration(ctx: Context, job_id: int) -> Regeneration:
    """End a regeneration after the batch that it is at; what was issued stays. Raises WrongStateError."""
    return _change(ctx, job_id, RegenerationState.CANCELLED)


def _change(ctx: Context, job_id: int, state: RegenerationState) -> Regeneration:
    job = get_regeneration(ctx, job_id)
    ctx.require(Permission.CERTIFICATE_MANAGE, job.scope.organization)
    with ctx.store.session(), ctx.store.transaction():
        if ctx.store.regenerations.get(job_id).ended:
            raise WrongStateError(
                f"the regeneration {job_id} is {job.state} already", shown="certificate regenerations"
            )
        changed = ctx.store.regenerations.set_state(job_id, state)
        ctx.audit(f"certificate.{state}", str(job.scope), organization=job.scope.organization)
        return changed
