"""`issbox trusted-key`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.options import read_text_file, yes_option
from issbox.cli.shapes import Field, Shape, fingerprint
from issbox.errors import NotFoundError
from issbox.model import TrustedKey

trusted_key = noun("trusted-key")

TRUSTED_KEY = Shape[TrustedKey](
    "trusted key",
    (
        Field("name", "name for people, unique in the box", lambda each: each.name, column=True),
        Field(
            "key_id",
            "fingerprint: SHA-256 of the public key in DER",
            lambda each: each.key_id,
            column=True,
            show=fingerprint,
        ),
        Field("added_at", "when it was added", lambda each: each.added_at, column=True),
        Field("public_key", "public key in PEM", lambda each: each.public_key, show=lambda _: "shown with --json"),
    ),
)


@command("add", group=trusted_key, example="issbox trusted-key add border-box.pem --name border-box", shape=TRUSTED_KEY)
@click.argument("file")
@click.option("--name", metavar="NAME", help="What to call it; made from the fingerprint when left out.")
def add(run: Run, *, file: str, name: str | None) -> None:
    """Accept bundles that are signed by the key in FILE (- for standard input).

    FILE holds what `issbox box show --public-key` printed on the box that makes the bundles. Compare the fingerprint
    shown with the one that box shows.
    """
    from issbox.workflows.appliance import boxes

    pem = read_text_file(file, "a public key", boxes.LARGEST_KEY)
    added = boxes.add_trusted_key(run.open(), pem, name)
    run.say(f"Bundles signed by {added.name} are accepted from now on.")
    run.show(TRUSTED_KEY, added)


@command("list", group=trusted_key, example="issbox trusted-key list", shape=TRUSTED_KEY, many=True)
def list_(run: Run) -> None:
    """List the keys whose bundles are accepted."""
    from issbox.workflows.appliance import boxes

    run.show_all(TRUSTED_KEY, boxes.list_trusted_keys(run.open()))


@command("remove", group=trusted_key, example="issbox trusted-key remove border-box --yes", shape=TRUSTED_KEY)
@click.argument("key")
@yes_option
def remove(run: Run, *, key: str, yes: bool) -> None:
    """Accept no more bundles signed by KEY, a name or a fingerprint (at least its first 8 digits).

    What was imported before stays.
    """
    from issbox.workflows.appliance import boxes

    ctx = run.open()
    try:
        chosen = boxes.get_trusted_key(ctx, key)
    except NotFoundError:
        chosen = boxes.get_trusted_key(ctx, key.replace(" ", ""))  # a fingerprint as it is shown, in groups
    run.confirm(f"Accept no more bundles of {chosen.name} ({chosen.key_id})?", yes=yes)
    removed = boxes.remove_trusted_key(ctx, chosen.key_id)
    run.say(f"Bundles signed by {removed.name} are no longer accepted.")
    run.show(TRUSTED_KEY, removed)
