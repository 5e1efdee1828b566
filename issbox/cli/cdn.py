"""`issbox cdn`: where Red Hat content is read from."""

from pathlib import Path

import click

from issbox.cli.cdn_shapes import LOCATION, PLAN, TEST
from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.options import chosen_organization, organization_option
from issbox.errors import ExitCode
from issbox.model import CdnServer, CdnType

cdn = noun("cdn")


@command("info", group=cdn, example="issbox cdn info --organization ACME", shape=LOCATION)
@organization_option
def info(run: Run, *, organization: str | None) -> None:
    """Show where an organization reads Red Hat content from."""
    from issbox.workflows.cdn import location

    ctx = run.open()
    run.show(LOCATION, location.get_location(ctx, chosen_organization(ctx, organization)))


@command(
    "update",
    group=cdn,
    example="issbox cdn update --type network-sync --url https://box1.example.com:8443 "
    "--upstream-organization-label ACME --ca box1-ca",
    shape=LOCATION,
    dry_run=PLAN,
)
@organization_option
@click.option("--type", "type_", type=click.Choice([each.value for each in CdnType]), help="What kind of place it is.")
@click.option(
    "--url",
    metavar="URL",
    help="custom-cdn: https://, http:// or file:// of the directory that `content` lies in. network-sync: https:// of "
    'the other box. export-sync: a directory, or "" when only imports fill repositories.',
)
@click.option("--ca", metavar="LABEL", help='Content credential with the CA of the server; "" for those of the system.')
@click.option(
    "--client-certificate",
    metavar="LABEL",
    help='Content credential that the server is shown; "" for none. Then those of the manifest are not shown.',
)
@click.option(
    "--manifest-certificate/--no-manifest-certificate",
    "shows_manifest",
    default=None,
    help="Whether the server is shown the certificates of the subscription manifest. By default Red Hat's CDN and "
    "other boxes are, and no custom CDN.",
)
@click.option("--proxy", metavar="URL", help='Proxy to the server; "" for none, not even the box\'s.')
@click.option("--upstream-organization-label", metavar="LABEL", help="network-sync: the organization on the other box.")
@click.option(
    "--upstream-lifecycle-environment-label", metavar="LABEL", help="network-sync: its environment; Library by default."
)
@click.option(
    "--upstream-content-view-label", metavar="LABEL", help="network-sync from a Katello: the content view in it."
)
@click.option(
    "--upstream-server",
    type=click.Choice([each.value for each in CdnServer]),
    help="network-sync: what the other box is; issbox by default.",
)
@click.option("--dry-run", is_flag=True, help="Only show which repositories would be read from where.")
def update(
    run: Run,
    *,
    organization: str | None,
    type_: str | None,
    url: str | None,
    ca: str | None,
    client_certificate: str | None,
    shows_manifest: bool | None,
    proxy: str | None,
    upstream_organization_label: str | None,
    upstream_lifecycle_environment_label: str | None,
    upstream_content_view_label: str | None,
    upstream_server: str | None,
    dry_run: bool,
) -> None:
    """Read Red Hat content from another place, from now on: listing files and packages alike.

    All Red Hat repositories of the organization are read from below it then. What is not given stays as it is, unless
    --type changes: then everything else begins anew. For one synchronization only, give --source-url to that.
    """
    from issbox.rules.cdn import LocationChange, changed_location
    from issbox.workflows.cdn import location

    ctx = run.open()
    present = location.get_location(ctx, chosen_organization(ctx, organization))
    change = LocationChange(
        type=None if type_ is None else CdnType(type_),
        url=_as_url(url),
        ca=ca,
        client_certificate=client_certificate,
        proxy=proxy,
        shows_manifest=shows_manifest,
        organization=upstream_organization_label,
        environment=upstream_lifecycle_environment_label,
        view=upstream_content_view_label,
        server=None if upstream_server is None else CdnServer(upstream_server),
    )
    plan = location.plan_location(ctx, changed_location(present, change))
    if dry_run:
        run.show(PLAN, plan)
        return
    made = location.set_location(ctx, plan)
    run.say(f"The CDN of {made.after.organization} is updated; {len(made.repositories)} repositories are read from it.")
    run.show(LOCATION, made.after)


def _as_url(text: str | None) -> str | None:
    """Give a directory as a URL; what is a URL stays as it is."""
    if not text or "://" in text or text.startswith("file:"):
        return text
    return Path(text).absolute().as_uri()


@command("test", group=cdn, example="issbox cdn test", shape=TEST)
@organization_option
def test(run: Run, *, organization: str | None) -> ExitCode:
    """Try the CDN step by step: its address, the server's certificates, this box's own, and the listing at its top.

    The first step that fails says what is wrong; the exit code is that of an unreachable server then.
    """
    from issbox.workflows.cdn import location, testing

    ctx = run.open()
    found = testing.try_location(ctx, location.get_location(ctx, chosen_organization(ctx, organization)))
    run.show(TEST, found)
    return ExitCode.OK if found.failure is None else ExitCode.UNREACHABLE
