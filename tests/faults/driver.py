"""Runs one workflow in a process of its own and kills it with SIGKILL at a named step, or after so many files.

Usage: driver.py ACTION STEP [ARGUMENT]; the box is that of ISSBOX_STATE_DIR. STEP is a step's name, `step+N` for
after N files of it, or `-` for none. Prints the names of the steps it passes.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from issbox.config import load_settings
from issbox.job_running import work_through
from issbox.manifest import ScopeKind
from issbox.model import LIBRARY, Actor, BundleForm, RepositoryKey, ViewVersionName, WantedContent
from issbox.wiring import now, open_context
from issbox.workflows.appliance.restoring import restore
from issbox.workflows.appliance.upkeep import collect_garbage, reconcile
from issbox.workflows.certificates.authority import renew_authority
from issbox.workflows.certificates.regenerating import run_regeneration
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.content.view_publishing import publish_view
from issbox.workflows.context import Context
from issbox.workflows.environments.environments import delete_environment
from issbox.workflows.environments.exact_content import plan_content_set, plan_everything
from issbox.workflows.environments.promoting import plan_demotion, plan_view_promotion, promote
from issbox.workflows.exchange.slips import read_slip
from issbox.workflows.exports import ExportRequest, export, plan_export, recut, stream
from issbox.workflows.hosts.consumers import move_consumers
from issbox.workflows.hosts.registering import register
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.imports.rolling_back import roll_back
from issbox.workflows.job_progress import JobReporter
from issbox.workflows.manifests.manifest_importing import delete_manifest, import_manifest
from issbox.workflows.manifests.manifest_trust import ManifestTrust

KEY = RepositoryKey("acme", "tools", "base")
PASSPHRASE = "correct horse battery"
BASE_ONE = WantedContent("tools", "base", 1)


class Killer:
    """A progress that ends the process where it is told to."""

    def __init__(self, where: str) -> None:
        self.step_name, _, files = where.partition("+")
        self.files = int(files or 0)
        self.armed = False

    def step(self, name: str, message: str = "") -> None:
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
        self.armed = name == self.step_name
        if self.armed and not self.files:
            die()

    def expect(self, *, files: int, size: int) -> None:
        pass

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        if self.armed:
            self.files -= files
            if self.files <= 0 and files:
                die()

    def note(self, message: str) -> None:
        pass


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def export_repository(ctx: Context, output: str) -> None:
    request = ExportRequest(organization="acme", scope=ScopeKind.REPOSITORY, repositories=(KEY,))
    export(ctx, plan_export(ctx, request), Path(output))


def export_form(ctx: Context, argument: str) -> None:
    form, size, output = argument.split(" ", 2)
    request = ExportRequest(
        organization="acme", scope=ScopeKind.LIBRARY, form=BundleForm(form), volume_size=int(size) or None
    )
    export(ctx, plan_export(ctx, request), Path(output))


def export_stream(ctx: Context, _: str) -> None:
    request = ExportRequest(organization="acme", scope=ScopeKind.LIBRARY, form=BundleForm.TAR)
    with Path(os.devnull).open("wb") as out:
        stream(ctx, plan_export(ctx, request), out)


def promote_view(ctx: Context, argument: str) -> None:
    view, number, environment = argument.split()
    promote(ctx, plan_view_promotion(ctx, "acme", ViewVersionName(view, number), environment))


def move_host(ctx: Context, argument: str) -> None:
    uuid, environment = argument.split()
    move_consumers(ctx, "acme", [uuid], [environment])


def take_manifest(ctx: Context, argument: str) -> None:
    file, authorities = map(Path, argument.split())
    trust = ManifestTrust((authorities.read_text(),))
    import_manifest(ctx, "acme", file.read_bytes(), file.name, trust=trust)


def work_jobs(ctx: Context, _: str) -> None:
    """Do the jobs that wait; this process dies at a step of a job, which tells its own row how far it is."""
    real_step, real_advance = JobReporter.step, JobReporter.advance

    def step(self: JobReporter, name: str, message: str = "") -> None:
        ctx.progress.step(name, message)
        real_step(self, name, message)

    def advance(self: JobReporter, *, files: int = 0, size: int = 0) -> None:
        ctx.progress.advance(files=files, size=size)
        real_advance(self, files=files, size=size)

    JobReporter.step, JobReporter.advance = step, advance  # type: ignore[method-assign]  # to be killed there
    work_through(ctx)


ACTIONS: dict[str, Callable[[Context, str], object]] = {
    "synchronize": lambda ctx, _: synchronize(ctx, KEY),
    "export": export_repository,
    "export-form": export_form,
    "stream": export_stream,
    "recut": lambda ctx, slip: recut(ctx, read_slip(ctx, slip)),
    "import": lambda ctx, path: run_import(ctx, Path(path)),
    "import-environments": lambda ctx, path: run_import(ctx, Path(path), with_environments=True),
    "import-row": lambda ctx, number: import_bundle(ctx, int(number)),
    "publish-view": lambda ctx, view: publish_view(ctx, "acme", view),
    "promote": promote_view,
    "promote-everything": lambda ctx, place: promote(ctx, plan_everything(ctx, "acme", LIBRARY, place, exactly=True)),
    "set-content": lambda ctx, place: promote(ctx, plan_content_set(ctx, "acme", place, [BASE_ONE])),
    "rollback": lambda ctx, number: roll_back(ctx, int(number)),
    "demote": lambda ctx, environment: promote(ctx, plan_demotion(ctx, "acme", environment, [KEY])),
    "move": move_host,
    "delete-environment": lambda ctx, place: delete_environment(ctx, "acme", place, force=True),
    "delete-environment-and-hosts": lambda ctx, place: delete_environment(
        ctx, "acme", place, force=True, delete_hosts=True
    ),
    "register": lambda ctx, name: register(ctx, organization="acme", name=name, facts={}, environments=["dev"]),
    "regenerate": lambda ctx, number: run_regeneration(ctx, int(number)),
    "work": work_jobs,
    "renew-authority": lambda ctx, _: renew_authority(ctx),
    "take-manifest": take_manifest,
    "delete-manifest": lambda ctx, _: delete_manifest(ctx, "acme"),
    "garbage": lambda ctx, _: collect_garbage(ctx, dry_run=False),
    "reconcile": lambda ctx, _: reconcile(ctx),
}

WITHOUT_A_BOX: dict[str, Callable[[Killer, str], object]] = {
    "restore": lambda killer, path: restore(
        load_settings(os.environ), Path(path), PASSPHRASE, actor=Actor("test", "local"), clock=now, progress=killer
    ),
}

if __name__ == "__main__":
    action, where, argument = (*sys.argv[1:], "")[:3]
    if action in WITHOUT_A_BOX:
        WITHOUT_A_BOX[action](Killer(where), argument)
    else:
        ACTIONS[action](replace(open_context(), progress=Killer(where)), argument)
