"""`issbox ca trust-redhat`."""

from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.options import read_text_file
from issbox.cli.shapes import Field, Shape

if TYPE_CHECKING:
    from issbox.workflows.certificates.redhat_trust import RedHatTrust

REDHAT_TRUST: "Shape[RedHatTrust]" = Shape(
    "trust in Red Hat's authority",
    (
        Field("trusted", "whether its entitlement certificates are accepted", lambda each: each.trusted),
        Field("subjects", "array of the authorities", lambda each: each.subjects),
        Field("expires", "when the first of them does, or null", lambda each: each.expires),
    ),
)


@command("trust-redhat", example="issbox ca trust-redhat redhat-entitlement-ca.pem", shape=REDHAT_TRUST)
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--off", is_flag=True, help="Trust it no longer.")
def trust_redhat(run: Run, *, file: str | None, off: bool) -> None:
    """Accept entitlement certificates of Red Hat's authority, from a FILE that the site had from Red Hat.

    They open environments that stand in for the CDN (`lifecycle-environment update --cdn`, or a site of [web]), by the
    paths that they have there: any such certificate, of whatever customer. Without FILE, show whether it is trusted.
    """
    from issbox.workflows.certificates import redhat_trust

    ctx = run.open()
    if off:
        run.show(REDHAT_TRUST, redhat_trust.distrust_redhat(ctx))
    elif file is not None:
        found = redhat_trust.trust_redhat(ctx, read_text_file(file, "a CA certificate", redhat_trust.LARGEST))
        run.say("Entitlement certificates of Red Hat are accepted from now on.")
        run.show(REDHAT_TRUST, found)
    else:
        run.show(REDHAT_TRUST, redhat_trust.show_redhat_trust(ctx))
