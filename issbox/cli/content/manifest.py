"""`issbox manifest`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from issbox.cli.command import Run, command
from issbox.cli.content.manifest_shapes import CHANGE, EVENT, MANIFEST
from issbox.cli.index import noun
from issbox.cli.options import chosen_organization, organization_option, read_text_file, yes_option
from issbox.model import ManifestConflict
from issbox.names import plural

if TYPE_CHECKING:
    from issbox.workflows.manifests.manifest_importing import ManifestChange
    from issbox.workflows.manifests.manifest_trust import ManifestTrust

F = TypeVar("F", bound=Callable[..., object])

manifest = noun("manifest")


def _trust_options(function: F) -> F:
    for option in (
        click.option("--dry-run", is_flag=True, help="Only show what it would change."),
        click.option(
            "--force",
            multiple=True,
            type=click.Choice([str(each) for each in ManifestConflict]),
            help="Take it although it is older than the present one, another one of the same second, or that of "
            "another distributor. May be given several times.",
        ),
        click.option(
            "--ca-credential",
            "credentials",
            multiple=True,
            metavar="LABEL",
            help="Content credential with an authority that signs manifests, instead of those the box knows.",
        ),
        click.option(
            "--ca",
            "files",
            multiple=True,
            metavar="FILE",
            help="File in PEM with an authority that signs manifests, instead of those the box knows.",
        ),
    ):
        function = option(function)
    return function


@command(
    "import",
    group=manifest,
    example="issbox manifest import manifest_acme.zip --ca candlepin-redhat-ca.pem",
    shape=CHANGE,
)
@click.argument("file", metavar="FILE.zip")
@organization_option
@_trust_options
def import_(
    run: Run,
    *,
    file: str,
    organization: str | None,
    files: tuple[str, ...],
    credentials: tuple[str, ...],
    force: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Take a subscription manifest in: it makes the organization's Red Hat products and what can be enabled of them.

    The file is what the portal exports, or - for standard input. It takes the place of the present manifest;
    repositories and promotions stay, also of contents that it does not offer any more. Its certificates and keys are
    kept for this organization alone.
    """
    from issbox.workflows.manifests.manifest_importing import import_manifest, read_manifest, read_manifest_file

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    piped = file == "-"
    if piped:
        with click.open_file("-", "rb") as source:
            data = read_manifest(source, "standard input")
    else:
        data = read_manifest_file(Path(file))
    change = import_manifest(
        ctx,
        owner,
        data,
        "standard input" if piped else Path(file).name,
        trust=_trust(files, credentials),
        force=[ManifestConflict(each) for each in force],
        dry_run=dry_run,
    )
    _tell(run, change, "would be imported" if dry_run else "imported")


@command("refresh", group=manifest, example="issbox manifest refresh", shape=CHANGE)
@organization_option
@_trust_options
def refresh(
    run: Run,
    *,
    organization: str | None,
    files: tuple[str, ...],
    credentials: tuple[str, ...],
    force: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Fetch the manifest as it is in the portal now and take it in, where this box can reach the portal.

    It shows the portal the identity that the present manifest brought along. A box that cannot reach it imports a file.
    """
    from issbox.workflows.manifests.manifest_refresh import refresh_manifest

    ctx = run.open()
    change = refresh_manifest(
        ctx,
        chosen_organization(ctx, organization),
        trust=_trust(files, credentials),
        force=[ManifestConflict(each) for each in force],
        dry_run=dry_run,
    )
    _tell(run, change, "would be refreshed" if dry_run else "refreshed")


@command("delete", group=manifest, example="issbox manifest delete --yes", shape=CHANGE)
@organization_option
@click.option("--dry-run", is_flag=True, help="Only show what it would change.")
@yes_option
def delete(run: Run, *, organization: str | None, dry_run: bool, yes: bool) -> None:
    """Delete the manifest of an organization with its certificates and keys.

    Before it asks, it says what happens. Repositories stay with what they hold, and so do promotions, as dangling;
    nothing can be synchronized from the CDN or enabled until a manifest is imported again.
    """
    from issbox.workflows.manifests.manifest_importing import delete_manifest

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    planned = delete_manifest(ctx, owner, dry_run=True)
    if dry_run:
        _tell(run, planned, "would be deleted")
        return
    for line in _consequences(planned):
        run.say(line)
    run.confirm(f"Delete the manifest {planned.record.distributor.name} of {owner}?", yes=yes)
    _tell(run, delete_manifest(ctx, owner), "deleted")


@command("info", group=manifest, example="issbox manifest info", shape=MANIFEST)
@organization_option
def info(run: Run, *, organization: str | None) -> None:
    """Show the manifest of an organization: its subscriptions, what it offers, and until when."""
    from issbox.workflows.manifests.manifests import show_manifest

    ctx = run.open()
    run.show(MANIFEST, show_manifest(ctx, chosen_organization(ctx, organization)))


@command("history", group=manifest, example="issbox manifest history", shape=EVENT, many=True)
@organization_option
def history(run: Run, *, organization: str | None) -> None:
    """Show which manifests an organization had, the newest first."""
    from issbox.workflows.manifests.manifests import manifest_history

    ctx = run.open()
    run.show_all(EVENT, manifest_history(ctx, chosen_organization(ctx, organization)))


def _trust(files: tuple[str, ...], credentials: tuple[str, ...]) -> "ManifestTrust":
    from issbox.workflows.manifests.manifest_trust import LARGEST, ManifestTrust

    return ManifestTrust(tuple(read_text_file(each, "a CA certificate", LARGEST) for each in files), credentials)


def _tell(run: Run, change: "ManifestChange", done: str) -> None:
    for warning in change.warnings:
        run.say(f"Note: {warning}.")
    same = "; products and contents stay as they are" if change.plan.changes_nothing else ""
    run.say(f"Manifest {change.record.distributor.name} of {change.record.organization} {done}{same}.")
    run.show(CHANGE, change)


def _consequences(change: "ManifestChange") -> list[str]:
    plan = change.plan
    lines = [
        f"{plural(len(plan.contents_out), 'content')} can no longer be enabled, and nothing more is read from the CDN.",
        f"Products that go: {', '.join(plan.products_out) or 'none'}.",
    ]
    if plan.products_kept:
        lines.append(f"Products that stay, since something needs them: {', '.join(plan.products_kept)}.")
    for each in plan.withdrawn:
        places = f"; dangling in {', '.join(each.environments)}" if each.environments else ""
        lines.append(f"{each.label}: {', '.join(each.repositories)} stays as it is{places}.")
    return lines
