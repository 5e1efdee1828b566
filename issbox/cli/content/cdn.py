"""`issbox cdn`: where Red Hat content is read from."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli.appliance.user_options import ask_password
from issbox.cli.command import Run, command
from issbox.cli.content.cdn_shapes import CHOICE, DOWNSTREAM, LOCATION, PLAN, TEST
from issbox.cli.content.repositories import REPOSITORY
from issbox.cli.index import noun
from issbox.cli.options import chosen_organization, organization_option, yes_option
from issbox.errors import CommandLineError, ExitCode
from issbox.model import CdnLocation, CdnServer, CdnType

if TYPE_CHECKING:
    from issbox.workflows.context import Context

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
    instead={"--dry-run": PLAN},
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
@click.option(
    "--proxy",
    metavar="URL|box",
    help="Proxy to the server; \"\" for none, not even the box's; box for the box's again.",
)
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
@click.option(
    "--username",
    metavar="NAME",
    help="network-sync: come to the other box as this user, once. It issues a certificate, which is kept as a content "
    "credential and shown from then on; the password is not kept.",
)
@click.option(
    "--password-file", metavar="FILE", help="First line of a file, - for standard input; else it is asked for."
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
    username: str | None,
    password_file: str | None,
    dry_run: bool,
) -> None:
    """Read Red Hat content from another place, from now on: listing files and packages alike.

    All Red Hat repositories of the organization are read from below it then. What is not given stays as it is, unless
    --type changes: then everything else begins anew. For one synchronization only, give --source-url to that.
    """
    from issbox.rules.content.cdn import LocationChange, changed_location
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
    if username is not None:
        plan = location.plan_location(ctx, _join(run, ctx, plan.after, username, password_file))
    made = location.set_location(ctx, plan)
    shown = made.before.client_certificate
    if shown is not None and shown != made.after.client_certificate:
        run.say(f"The content credential {shown} is not shown any more; delete it when nothing else needs it.")
    moved = len(made.repositories)
    run.say(f"The CDN of {made.after.organization} is updated; repositories read from another place now: {moved}.")
    run.show(LOCATION, made.after)


def _join(run: Run, ctx: "Context", location: CdnLocation, username: str, password_file: str | None) -> CdnLocation:
    """Give the location with the certificate that the other box issued."""
    from issbox.workflows.cdn.joining import join

    if location.upstream is None:
        raise CommandLineError("--username is for a network-sync", hint="Give --type network-sync.")
    label = join(
        ctx, location, username, ask_password(password_file, "Password at the other box", option="--password-file")
    )
    run.say(f"The other box issued a certificate, which is kept as content credential {label}.")
    return replace(location, client_certificate=label, shows_manifest=False)


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
    for each in found.tried:
        run.say(f"{'FAILED' if each.failed else 'ok':6}  {each.step}: {each.words}")
    run.show(TEST, found)
    return ExitCode.OK if found.failure is None else ExitCode.UNREACHABLE


_release_option = click.option("--release", metavar="RELEASE", help="Value of $releasever, such as 9 or 9.4.")
_arch_option = click.option("--arch", metavar="ARCH", help="Value of $basearch, such as x86_64.")


@command("choices", group=cdn, example="issbox cdn choices --release 9.4", shape=CHOICE, many=True)
@organization_option
@click.option("--product", metavar="LABEL", help="Only contents of this product.")
@click.option("--content", metavar="LABEL", help="Only this content, by its label or id.")
@_release_option
@_arch_option
def choices(
    run: Run,
    *,
    organization: str | None,
    product: str | None,
    content: str | None,
    release: str | None,
    arch: str | None,
) -> None:
    """Show which Red Hat repositories could be enabled: what the manifest offers and the CDN really holds.

    The listing files of the CDN are followed, many at once; what they do not name is not shown.
    """
    from issbox.workflows.cdn.choices import Wish, list_choices

    ctx = run.open()
    wish = Wish(product=product, content=content, release=release, arch=arch)
    found = list_choices(ctx, chosen_organization(ctx, organization), wish)
    if found.skipped:
        run.say(f"{found.skipped} offered contents are no yum repositories, and are not shown.")
    if not found.readable:
        run.say(f"{found.base} has no listing file that can be read: `issbox cdn test` says more.")
    if found.cut:
        run.say("There is more than can be followed at once: narrow it down with --product, --content or --release.")
    run.show_all(CHOICE, found.choices)


@command(
    "enable",
    group=cdn,
    example="issbox cdn enable rhel-9-for-x86_64-baseos-rpms --release 9.4",
    shape=REPOSITORY,
)
@click.argument("content")
@organization_option
@_release_option
@_arch_option
@click.option("--check/--no-check", default=True, help="Whether the CDN has to hold it; it has to by default.")
def enable(
    run: Run, *, content: str, organization: str | None, release: str | None, arch: str | None, check: bool
) -> None:
    """Make the repository of a content that the manifest offers, for a release and architecture.

    CONTENT is its label or id. It is read from the CDN when it is synchronized; bundles fill it too.
    """
    from issbox.workflows.cdn import enabling

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    made = enabling.enable(ctx, owner, content, release=release, arch=arch, check=check)
    run.say(f"Enabled as {made.key}.")
    run.show(REPOSITORY, made)


@command(
    "disable",
    group=cdn,
    example="issbox cdn disable rhel-9-for-x86_64-baseos-rpms --release 9.4 --yes",
    shape=REPOSITORY,
)
@click.argument("content")
@organization_option
@_release_option
@_arch_option
@yes_option
def disable(
    run: Run, *, content: str, organization: str | None, release: str | None, arch: str | None, yes: bool
) -> None:
    """Delete the repository of a content, release and architecture, with all its versions.

    One that an environment other than Library or a content view holds stays.
    """
    from issbox.workflows.cdn import enabling

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    chosen = enabling.find_enabled(ctx, owner, content, release=release, arch=arch)
    run.confirm(f"Delete the repository {chosen.key} with all its versions?", yes=yes)
    deleted = enabling.disable(ctx, chosen)
    run.say(f"Repository {deleted.key} deleted.")
    run.show(REPOSITORY, deleted)


@command("downstream", group=cdn, example="issbox cdn downstream", shape=DOWNSTREAM, many=True)
@organization_option
def downstream(run: Run, *, organization: str | None) -> None:
    """Show which other boxes may read content from this one, and what they took.

    Those are hosts of type candlepin or satellite, as `issbox consumer create --type` makes them, and whoever shows the
    certificate of a manifest to an environment that stands in for the CDN. It is written down every half a minute.
    """
    from issbox.workflows.cdn.downstream import list_downstream

    ctx = run.open()
    run.show_all(DOWNSTREAM, list_downstream(ctx, chosen_organization(ctx, organization)))
