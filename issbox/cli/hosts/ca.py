"""`issbox ca`."""

from typing import TYPE_CHECKING

import click

from issbox.cli import output
from issbox.cli.command import Run, command
from issbox.cli.hosts.redhat_trust import trust_redhat
from issbox.cli.index import noun
from issbox.cli.options import read_text_file
from issbox.cli.shapes import Field, Shape

if TYPE_CHECKING:
    from issbox.workflows.certificates.authority import AuthorityStatus

ca = noun("ca")
ca.add_command(trust_redhat)
_MOST_BYTES = 1 << 20

AUTHORITY: "Shape[AuthorityStatus]" = Shape(
    "authority",
    (
        Field("name", "its subject", lambda each: each.name),
        Field("serial", "serial number of its certificate, as text", lambda each: str(each.serial)),
        Field("is_root", "whether it signed itself, or stands below the site's authority", lambda each: each.is_root),
        Field("valid_from", "since when it may sign", lambda each: each.valid.not_before),
        Field("valid_until", "until when it may sign", lambda each: each.valid.not_after),
        Field("state", "`current`, `due`, `expired` or `not-yet-valid`", lambda each: each.outlook.state.value),
        Field("days_left", "whole days until it or one above it expires", lambda each: each.outlook.days_left),
        Field("findings", "array: what an administrator should know", lambda each: each.outlook.findings),
        Field("request_pending", "whether a request waits for an answer", lambda each: each.request_pending),
        Field("chain", "its certificate and those above it, in PEM", lambda each: each.chain_pem),
    ),
)


@command("show", group=ca, example="issbox ca show --chain > issbox-ca.pem", shape=AUTHORITY)
@click.option("--chain", is_flag=True, help="Write only its certificate and those above it (PEM), which hosts trust.")
def show(run: Run, *, chain: bool) -> None:
    """Show the authority that signs the certificates of hosts, and what lies ahead of it."""
    from issbox.workflows.certificates import authority

    shown = authority.show_authority(run.open())
    if chain and not run.as_json:
        output.write(shown.chain_pem)
    else:
        run.show(AUTHORITY, shown)


@command("create", group=ca, example='issbox ca create --name "ACME content"', shape=AUTHORITY)
@click.option("--name", metavar="NAME", help="Common name of it. The box's name when left out.")
@click.option("--owner", metavar="NAME", help="Organization in its name, such as that of the site.")
def create(run: Run, *, name: str | None, owner: str | None) -> None:
    """Make an authority that is a root of its own; the first certificate would do the same.

    Its key is encrypted; keep a copy of it and its passphrase where the backups are not.
    """
    from issbox.workflows.certificates import authority

    made = authority.create_authority(run.open(), name=name, organization=owner)
    run.say("The authority was made. Hosts have to trust the last certificate of its chain.")
    run.show(AUTHORITY, made)


@command("request", group=ca, example="issbox ca request > box.csr")
@click.option("--name", metavar="NAME", help="Common name asked for. The box's name when left out.")
@click.option("--owner", metavar="NAME", help="Organization asked for.")
def request(run: Run, *, name: str | None, owner: str | None) -> None:
    """Write a certificate request for the site's authority to standard output; with --json as `request`.

    It asks for an authority that may sign hosts and servers only. `issbox ca install` takes the answer.
    """
    from issbox.workflows.certificates import authority

    text = authority.request_authority(run.open(), name=name, organization=owner)
    run.progress.close()
    output.write(output.to_json({"request": text}) if run.as_json else text)


@command("install", group=ca, example="issbox ca install signed.pem --chain site-chain.pem", shape=AUTHORITY)
@click.argument("answer", metavar="FILE")
@click.option("--chain", metavar="FILE", help="Certificates of the site's authorities that the answer does not hold.")
def install(run: Run, *, answer: str, chain: str | None) -> None:
    """Use the certificate that the site's authority signed for the request.

    All certificates of hosts are stale then: they get others when they ask, or by `issbox certificate regenerate`.
    """
    from issbox.workflows.certificates import authority

    text = read_text_file(answer, "a certificate", _MOST_BYTES)
    above = "" if chain is None else read_text_file(chain, "a chain of certificates", _MOST_BYTES)
    made = authority.install_authority(run.open(), text, above=above)
    run.say("The authority is in use. Hosts have to trust the last certificate of its chain.")
    run.show(AUTHORITY, made)


@command("renew", group=ca, example="issbox ca renew", shape=AUTHORITY)
def renew(run: Run) -> None:
    """Give an authority that is a root of its own a new certificate for the same key; what it signed stays good."""
    from issbox.workflows.certificates import authority

    made = authority.renew_authority(run.open())
    run.say("The authority has a new certificate. Hosts need it before the old one ends.")
    run.show(AUTHORITY, made)


@command("crl", group=ca, example="issbox ca crl > crl.pem")
def crl(run: Run) -> None:
    """Write the signed list of revoked serial numbers to standard output; with --json the numbers, too.

    The JSON object has `serials`, an array of numbers, and `crl`, the list in PEM.
    """
    from issbox.workflows.certificates import revocation_lists

    ctx = run.open()
    text = revocation_lists.revocation_list(ctx)
    run.progress.close()
    document = {"serials": revocation_lists.revoked_serials(ctx), "crl": text}
    output.write(output.to_json(document) if run.as_json else text)
