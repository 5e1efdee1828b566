"""`issbox consumer`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli import output as output_
from issbox.cli.command import Run, command
from issbox.cli.hosts.consumer_shapes import CLIENT_PACKAGE, CONSUMER, SETUP_SCRIPT
from issbox.cli.index import noun
from issbox.cli.options import chosen_organization, organization_option, yes_option
from issbox.errors import CommandLineError
from issbox.names import plural
from issbox.rules.entitlements.consumers import facts_by_hand

if TYPE_CHECKING:
    from issbox.workflows.context import Context

consumer = noun("consumer")


def _facts(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in given:
        name, separator, value = each.partition("=")
        if not separator:
            raise CommandLineError(f"{each!r} is not a fact such as uname.machine=x86_64")
        found[name] = value
    return found


@command(
    "create",
    group=consumer,
    example="issbox consumer create --name web1 --environment dev --arch x86_64 --output web1/",
    shape=CONSUMER,
)
@organization_option
@click.option("--name", required=True, metavar="NAME", help="Name of the host.")
@click.option(
    "--type",
    "type_",
    default="system",
    show_default=True,
    metavar="TYPE",
    help="What it is; candlepin or satellite for another box that reads content from this one.",
)
@click.option("--environment", "environments", multiple=True, metavar="LABEL", help="The most important one first.")
@click.option("--product", "products", multiple=True, metavar="LABEL", help="Entitled to it; to all when left out.")
@click.option("--activation-key", "keys", multiple=True, metavar="LABEL", help="Says environments and products.")
@click.option("--arch", metavar="ARCH", help="Architecture of the host, such as x86_64.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=VALUE", help="Something more of the host.")
@click.option("--output", metavar="DIRECTORY", help="Write certificates, key and a .repo file there.")
@click.option("--content-url", metavar="URL", help="Where hosts find content; else [certificates] content_url.")
def create(
    run: Run,
    *,
    organization: str | None,
    name: str,
    type_: str,
    environments: tuple[str, ...],
    products: tuple[str, ...],
    keys: tuple[str, ...],
    arch: str | None,
    facts: tuple[str, ...],
    output: str | None,
    content_url: str | None,
) -> None:
    """Register a host, for those without subscription-manager; what --output writes is copied to the host.

    Put the .pem files into /etc/pki/issbox and issbox.repo into /etc/yum.repos.d. For zypper, put zypper.repo into
    /etc/zypp/repos.d, and the files NUMBER.0 beside the .pem files: it knows the box by them. A host in no environment
    gets the present content of its products; one in environments gets what is promoted there.
    """
    from issbox.workflows.hosts import consumers, host_files, registering

    ctx = run.open()
    if keys and (environments or products):
        raise CommandLineError("an activation key says environments and products, so give either it or them")
    owner = chosen_organization(ctx, organization)
    if output is not None:
        host_files.check_place(ctx, Path(output), content_url=content_url)
    told = facts_by_hand(arch) | _facts(facts)
    if keys:
        consumers.list_consumers(ctx, owner, limit=1)
        made = registering.register_with_keys(ctx, organization=owner, keys=keys, name=name, facts=told, type_=type_)
    else:
        made = registering.register(
            ctx,
            organization=owner,
            name=name,
            facts=told,
            environments=environments,
            products=products,
            type_=type_,
        )
    run.say(f"Host {made.name} registered as {made.uuid}.")
    if output is not None:
        _write_files(run, ctx, made.uuid, output, content_url)
    run.show(CONSUMER, made)


def _write_files(run: Run, ctx: "Context", uuid: str, output: str, content_url: str | None) -> None:
    from issbox.workflows.hosts import host_files

    for path in host_files.write_host_files(ctx, uuid, Path(output), content_url=content_url):
        run.say(f"{path} written.")
    run.say("On the host, the .pem files go to /etc/pki/issbox and issbox.repo to /etc/yum.repos.d.")
    run.say("With zypper, the files NUMBER.0 go beside the .pem files, and zypper.repo to /etc/zypp/repos.d.")


@command(
    "files",
    group=consumer,
    example="issbox consumer files 4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11 --output web1/",
    shape=CONSUMER,
)
@click.argument("uuid", metavar="UUID")
@click.option("--output", required=True, metavar="DIRECTORY", help="Write them there.")
@click.option("--content-url", metavar="URL", help="Where hosts find content; else [certificates] content_url.")
def files(run: Run, *, uuid: str, output: str, content_url: str | None) -> None:
    """Write certificates, key and .repo file of a host again, such as after a promotion or before they expire.

    Certificates that are stale are issued anew. Only for hosts whose key was made by this box.
    """
    from issbox.workflows.hosts import consumers

    ctx = run.open()
    _write_files(run, ctx, uuid, output, content_url)
    run.show(CONSUMER, consumers.get_consumer(ctx, uuid))


@command("list", group=consumer, example="issbox consumer list --environment dev", shape=CONSUMER, many=True)
@organization_option
@click.option("--environment", metavar="LABEL", help="Only hosts in this environment.")
@click.option("--name", metavar="NAME", help="Only hosts of this name.")
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="Only so many.")
def list_(run: Run, *, organization: str | None, environment: str | None, name: str | None, limit: int | None) -> None:
    """List the hosts of an organization by name."""
    from issbox.workflows.hosts import consumers

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    run.show_all(CONSUMER, consumers.list_consumers(ctx, owner, environment=environment, name=name, limit=limit))


@command("info", group=consumer, example="issbox consumer info 4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11", shape=CONSUMER)
@click.argument("uuid")
def info(run: Run, *, uuid: str) -> None:
    """Show one host."""
    from issbox.workflows.hosts import consumers

    run.show(CONSUMER, consumers.get_consumer(run.open(), uuid))


@command(
    "update",
    group=consumer,
    example="issbox consumer update 4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11 --fact uname.machine=aarch64",
    shape=CONSUMER,
)
@click.argument("uuid")
@click.option("--name", metavar="NAME", help="Its new name.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=VALUE", help="Added to its facts, or in place of one.")
def update(run: Run, *, uuid: str, name: str | None, facts: tuple[str, ...]) -> None:
    """Change name and facts of a host; its certificate is stale when it says something else then."""
    from issbox.workflows.hosts import consumers

    ctx = run.open()
    present = consumers.get_consumer(ctx, uuid)
    told = {**present.facts, **_facts(facts)} if facts else None
    made = consumers.update_consumer(ctx, uuid, name=name, facts=told)
    run.say(f"Host {made.name} updated.")
    run.show(CONSUMER, made)


@command(
    "move",
    group=consumer,
    example="issbox consumer move 4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11 --environment prod",
    shape=CONSUMER,
    many=True,
)
@organization_option
@click.argument("uuids", nargs=-1, required=True, metavar="UUID...")
@click.option("--environment", "environments", multiple=True, metavar="LABEL", help="The most important one first.")
@click.option("--no-environment", is_flag=True, help="Out of all: they get the present content of their products.")
@click.option("--dry-run", is_flag=True, help="Only say on standard error what it would mean; move nothing.")
def move(
    run: Run,
    *,
    organization: str | None,
    uuids: tuple[str, ...],
    environments: tuple[str, ...],
    no_environment: bool,
    dry_run: bool,
) -> None:
    """Put hosts into exactly these environments, all of them or none."""
    from issbox.workflows.environments import move_plans
    from issbox.workflows.hosts import consumers

    if bool(environments) == no_environment:
        raise CommandLineError("where to? Give --environment, or --no-environment")
    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    if dry_run:
        plan = move_plans.plan_move(ctx, owner, uuids, environments)
        hosts = plural(plan.hosts, "host")
        run.say(f"{plan.moved} of {hosts} would change; certificates that would become stale: {plan.stale}.")
        for sign, labels in (("+", plan.gained), ("-", plan.lost)):
            for label in labels:
                run.say(f"{sign} {label}")
    else:
        marked = consumers.move_consumers(ctx, owner, uuids, environments)
        run.say(f"Moved. Certificates that say something else then: {marked}.")
    run.show_all(CONSUMER, [consumers.get_consumer(ctx, each) for each in uuids])


@command(
    "delete",
    group=consumer,
    example="issbox consumer delete 4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11 --yes",
    shape=CONSUMER,
)
@click.argument("uuid")
@yes_option
def delete(run: Run, *, uuid: str, yes: bool) -> None:
    """Delete a host and revoke everything that was issued to it."""
    from issbox.workflows.hosts import consumers

    ctx = run.open()
    present = consumers.get_consumer(ctx, uuid)
    run.confirm(f"Delete the host {present.name} ({uuid}) and revoke its certificates?", yes=yes)
    deleted = consumers.delete_consumer(ctx, uuid)
    run.say(f"Host {deleted.name} deleted.")
    run.show(CONSUMER, deleted)


_url = click.option("--url", default="", metavar="URL", help="Address of this box; else that of content_url.")
_client_keys = click.option(
    "--activation-key", "keys", multiple=True, metavar="LABEL", help="What hosts register with, unless told otherwise."
)


@command(
    "setup-script",
    group=consumer,
    example="issbox consumer setup-script --url https://box.example.com:8443 --activation-key web > issbox-host",
    shape=SETUP_SCRIPT,
)
@organization_option
@_url
@_client_keys
def setup_script(run: Run, *, organization: str | None, url: str, keys: tuple[str, ...]) -> None:
    """Write a shell script that sets hosts up which have no subscription-manager.

    Run on a host as `sh issbox-host register`, it registers the host, and puts certificates into /etc/pki/issbox and
    repositories where dnf, yum and zypper look for them; `refresh` fetches them again, and `unregister` leaves. It
    needs curl and tar, and knows this box by its authority. Whoever has the script can register hosts with the
    activation keys in it.
    """
    from issbox.workflows.hosts import host_client

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    made = host_client.make_script(ctx, owner, server=url, activation_keys=keys)
    if run.as_json:
        run.show(SETUP_SCRIPT, made)
    else:
        output_.write(made)


@command(
    "client-rpm",
    group=consumer,
    example="issbox consumer client-rpm --url https://box.example.com:8443 --activation-key web --output /srv/rpms",
    shape=CLIENT_PACKAGE,
)
@organization_option
@_url
@_client_keys
@click.option("--output", required=True, metavar="DIRECTORY", help="Where the package is written.")
def client_rpm(run: Run, *, organization: str | None, url: str, keys: tuple[str, ...], output: str) -> None:
    """Make an RPM that sets hosts up: with the script of setup-script, and a timer that refreshes every four hours.

    Installed, it registers the host by the activation keys that it was made with; removed, it unregisters it.
    """
    from issbox.workflows.hosts import host_client

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    made = host_client.make_package(ctx, owner, Path(output), server=url, activation_keys=keys)
    run.say(f"{made} written.")
    run.show(CLIENT_PACKAGE, made)
