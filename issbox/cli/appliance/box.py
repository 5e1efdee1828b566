"""`issbox box`."""

from dataclasses import dataclass
from pathlib import Path

import click

from issbox.cli import output
from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.shapes import Field, Shape, fingerprint
from issbox.model import Box

box = noun("box")


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """A box with what is not in its row."""

    box: Box
    public_key: str
    state_dir: Path


BOX = Shape[BoxFacts](
    "box",
    (
        Field("id", "UUID made by `issbox init`", lambda facts: facts.box.id),
        Field("name", "name for people", lambda facts: facts.box.name),
        Field(
            "key_id",
            "fingerprint of the signing key: SHA-256 of the public key in DER",
            lambda facts: facts.box.key_id,
            show=fingerprint,
        ),
        Field("created_at", "when it was made", lambda facts: facts.box.created_at),
        Field("state_dir", "where it keeps everything", lambda facts: facts.state_dir),
        Field(
            "public_key",
            "public key in PEM",
            lambda facts: facts.public_key,
            show=lambda _: "shown by `issbox box show --public-key`",
        ),
    ),
)


@command("show", group=box, example="issbox box show --public-key > border-box.pem", shape=BOX)
@click.option("--public-key", is_flag=True, help="Write only the public key (PEM), which the other side adds.")
def show(run: Run, *, public_key: bool) -> None:
    """Show name and key of this box.

    The other side accepts bundles of this box once it has added the public key with `issbox trusted-key add`. Compare
    the fingerprint on both sides, for example by telephone.
    """
    from issbox.workflows.appliance import boxes

    ctx = run.open()
    pem = boxes.public_key(ctx)
    if public_key and not run.as_json:
        output.write(pem)
    else:
        run.show(BOX, BoxFacts(boxes.show(ctx), pem, ctx.store.state_dir))
