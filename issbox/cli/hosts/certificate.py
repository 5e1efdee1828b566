"""`issbox certificate`."""

from typing import TYPE_CHECKING

import click

from issbox.cli import output
from issbox.cli.appliance.job import JOB
from issbox.cli.command import Run, command
from issbox.cli.hosts.consumer_shapes import CERTIFICATE, REGENERATION
from issbox.cli.index import noun
from issbox.cli.options import chosen_organization, organization_option, read_text_file, yes_option
from issbox.cli.shapes import Field, Shape
from issbox.errors import CommandLineError
from issbox.model import RegenerationScope

if TYPE_CHECKING:
    from issbox.certs.guard import Verdict
    from issbox.model import IssuedCertificate
    from issbox.workflows.hosts.host_lists import Period

certificate = noun("certificate")
_MOST_BYTES = 16 << 20

VERDICT: "Shape[Verdict]" = Shape(
    "verdict",
    (
        Field("granted", "whether the certificate grants the path", lambda each: each.granted),
        Field("reason", "why, as one word", lambda each: each.reason.value),
        Field("message", "why, in words", lambda each: each.message),
    ),
)


ISSUED: "Shape[IssuedCertificate]" = Shape(
    "issued certificate",
    (
        Field("serial", "serial number, as text", lambda each: str(each.serial)),
        Field("kind", "`identity` or `entitlement`", lambda each: each.kind.value),
        Field("consumer", "UUID of the host", lambda each: each.consumer),
        Field("entitlement", "id of the entitlement, or null", lambda each: each.entitlement),
        Field("valid_until", "when it ends", lambda each: each.valid.not_after),
        Field("revoked_at", "when it was revoked, or null", lambda each: each.revoked_at),
    ),
)

PERIOD: "Shape[Period]" = Shape(
    "period",
    (
        Field("ends", "when these certificates end, in words", lambda each: each.words, column=True),
        Field("certificates", "how many", lambda each: each.certificates, column=True),
        Field("after", "they end then or later, or null", lambda each: each.wanted.after, column=True),
        Field("before", "they end before it, or null", lambda each: each.wanted.before, column=True),
    ),
)


@command(
    "list",
    group=certificate,
    example="issbox certificate list --consumer 4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11",
    shape=CERTIFICATE,
    many=True,
)
@click.option("--consumer", required=True, metavar="UUID", help="Which host.")
@click.option("--issue", is_flag=True, help="Issue what is missing or stale first, as when the host asks.")
def list_(run: Run, *, consumer: str, issue: bool) -> None:
    """List the entitlement certificates of a host, also stale ones."""
    from issbox.workflows.certificates import certificates

    ctx = run.open()
    found = certificates.certificates_of(ctx, consumer) if issue else certificates.current_certificates(ctx, consumer)
    run.show_all(CERTIFICATE, found)


@command("show", group=certificate, example="issbox certificate show /etc/pki/entitlement/4711.pem")
@click.argument("file", required=False)
@click.option("--serial", type=int, metavar="NUMBER", help="One that was issued here, instead of a file.")
def show(run: Run, *, file: str | None, serial: int | None) -> None:
    """Show what an identity or entitlement certificate says, also one of another server; `-` reads standard input.

    Nothing of it is verified by this. With --json all of it as an object.
    """
    from issbox.certs.showing import to_document, to_text
    from issbox.workflows.certificates import certificates

    if (file is None) == (serial is None):
        raise CommandLineError("which certificate? Give a file or --serial")
    ctx = run.open()
    if serial is not None:
        text = certificates.get_issued(ctx, serial).pem
    else:
        text = read_text_file(file or "", "a certificate", _MOST_BYTES)
    decoded = certificates.decode(ctx, text)
    run.progress.close()
    output.write(output.to_json(to_document(decoded)) if run.as_json else output.safe_lines(to_text(decoded)))


@command(
    "check",
    group=certificate,
    example="issbox certificate check 4711.pem /Acme/dev/custom/tools/base/repodata/repomd.xml",
    shape=VERDICT,
)
@click.argument("file")
@click.argument("path", metavar="CONTENT-PATH")
def check(run: Run, *, file: str, path: str) -> int:
    """Say whether a certificate grants a path, and why or why not; the exit code is 0 or 3."""
    from issbox.errors import ExitCode
    from issbox.workflows.certificates import certificates

    verdict = certificates.check_path(run.open(), read_text_file(file, "a certificate", _MOST_BYTES), path)
    run.show(VERDICT, verdict)
    return int(ExitCode.OK if verdict.granted else ExitCode.REFUSED)


@command(
    "regenerate",
    group=certificate,
    example="issbox certificate regenerate --environment dev",
    shape=REGENERATION,
    instead={"--async": JOB},
)
@organization_option
@click.option("--consumer", metavar="UUID", help="Only of this host.")
@click.option("--environment", metavar="LABEL", help="Only of hosts in this environment.")
@click.option("--product", metavar="LABEL", help="Only those that may hold content of this product.")
@click.option("--unchanged", is_flag=True, help="Also those that say the same: all get new serial numbers.")
@click.option(
    "--async", "as_job", is_flag=True, help="As a job that goes on by itself; `issbox job wait` shows how far."
)
@click.option("--resume", type=int, metavar="ID", help="Go on with one that was paused or interrupted.")
@click.option("--pause", type=int, metavar="ID", help="Let one rest, from another terminal.")
@click.option("--cancel", type=int, metavar="ID", help="End one; what was issued stays.")
def regenerate(
    run: Run,
    *,
    organization: str | None,
    consumer: str | None,
    environment: str | None,
    product: str | None,
    unchanged: bool,
    as_job: bool,
    resume: int | None,
    pause: int | None,
    cancel: int | None,
) -> None:
    """Issue now what hosts would get when they ask: certificates that are stale or missing.

    One that would say the same stays. Interrupted, it goes on with --resume where it was; a job goes on by itself.
    """
    from issbox.job_running import begin
    from issbox.workflows.certificates import regenerating
    from issbox.workflows.job_kinds.regeneration import RegenerateJob

    ctx = run.open()
    if pause is not None:
        run.show(REGENERATION, regenerating.pause_regeneration(ctx, pause))
        return
    if cancel is not None:
        run.show(REGENERATION, regenerating.cancel_regeneration(ctx, cancel))
        return
    if resume is not None:
        job = regenerating.resume_regeneration(ctx, resume)
    else:
        owner = chosen_organization(ctx, organization)
        scope = RegenerationScope(owner, consumer, environment, product, unchanged)
        job = regenerating.start_regeneration(ctx, scope)
    if as_job:
        run.show(JOB, begin(ctx, RegenerateJob(job.id)))
    else:
        run.show(REGENERATION, regenerating.run_regeneration(ctx, job.id))


@command(
    "regenerate-all",
    group=certificate,
    example="issbox certificate regenerate-all --async",
    shape=REGENERATION,
    many=True,
    instead={"--async": JOB},
)
@click.option("--unchanged", is_flag=True, help="Also those that say the same: all get new serial numbers.")
@click.option("--async", "as_job", is_flag=True, help="As jobs that go on by themselves, one for each organization.")
def regenerate_all(run: Run, *, unchanged: bool, as_job: bool) -> None:
    """Issue now what hosts of all organizations would get that you manage: certificates that are stale or missing.

    Each organization is one regeneration, as of `issbox certificate regenerate`: paused, resumed and cancelled there by
    its number. An organization where nothing is to be issued is left out.
    """
    from issbox.job_running import begin
    from issbox.workflows.certificates import regenerating
    from issbox.workflows.job_kinds.regeneration import RegenerateJob

    ctx = run.open()
    found = regenerating.start_everywhere(ctx, unchanged=unchanged)
    if as_job:
        run.show_all(JOB, [begin(ctx, RegenerateJob(each.id)) for each in found])
    else:
        run.show_all(REGENERATION, [regenerating.run_regeneration(ctx, each.id) for each in found])


@command("revoke", group=certificate, example="issbox certificate revoke 4711 --yes", shape=ISSUED)
@click.argument("serial", type=int, metavar="SERIAL")
@yes_option
def revoke(run: Run, *, serial: int, yes: bool) -> None:
    """Revoke one certificate that was issued here.

    An entitlement stays, and its host gets another certificate when it asks. A host whose identity is revoked is
    nobody until it is given another one.
    """
    from issbox.workflows.certificates import revoking

    run.confirm(f"Revoke the certificate {serial}?", yes=yes)
    run.show(ISSUED, revoking.revoke_certificate(run.open(), serial))


@command("expiry", group=certificate, example="issbox certificate expiry", shape=PERIOD, many=True)
@organization_option
def expiry(run: Run, *, organization: str | None) -> None:
    """Count the certificates of hosts that are in use by the time that is left until they end."""
    from issbox.workflows.hosts import host_lists

    ctx = run.open()
    run.show_all(PERIOD, host_lists.periods(ctx, chosen_organization(ctx, organization)))


@command("regenerations", group=certificate, example="issbox certificate regenerations", shape=REGENERATION, many=True)
@organization_option
def regenerations(run: Run, *, organization: str | None) -> None:
    """List the regenerations of an organization, the newest first."""
    from issbox.workflows.certificates import regenerating

    ctx = run.open()
    run.show_all(REGENERATION, regenerating.list_regenerations(ctx, chosen_organization(ctx, organization)))
