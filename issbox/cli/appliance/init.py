"""`issbox init`."""

import os

import click

from issbox.cli.appliance.box import BOX, BoxFacts
from issbox.cli.command import Run, command
from issbox.names import make_label


@command(
    "init",
    example='issbox init --name "Box at the border" --organization ACME --organization-name "ACME Corporation"',
    shape=BOX,
)
@click.option("--name", required=True, metavar="NAME", help="Name of this box, for people.")
@click.option(
    "--organization", metavar="LABEL", help="Label of the first organization. Made from its name when left out."
)
@click.option("--organization-name", metavar="NAME", help="Name of the first organization. Its label when left out.")
def init(run: Run, *, name: str, organization: str | None, organization_name: str | None) -> None:
    """Make a box: its state directory, signing key, identity and first organization.

    Run it once on each side of the gap. The state directory is the one of the configuration, or of the environment
    variable ISSBOX_STATE_DIR. When it was interrupted, run it again.
    """
    from issbox.config import load_settings
    from issbox.errors import CommandLineError
    from issbox.wiring import calling_actor, now, require_local_administrator
    from issbox.workflows.appliance import boxes

    require_local_administrator(os.environ)
    if organization is None and organization_name is None:
        raise CommandLineError("neither --organization nor --organization-name was given")
    settings = load_settings(os.environ)
    box = boxes.initialize(
        settings,
        name=name,
        organization_label=organization if organization is not None else make_label(organization_name or ""),
        organization_name=organization_name if organization_name is not None else organization or "",
        actor=calling_actor(os.environ),
        clock=now,
        progress=run.progress,
    )
    run.say(f"The box is ready in {settings.state_dir}.")
    run.show(BOX, BoxFacts(box, boxes.public_key(run.open()), settings.state_dir))
