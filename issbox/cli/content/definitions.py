"""`issbox product export-csv` and `issbox product import-csv`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli import output as out
from issbox.cli.command import Run, command
from issbox.cli.options import chosen_organization, organization_option, read_file
from issbox.cli.shapes import Field, Shape, for_people
from issbox.rules.content.definition_table import COLUMNS, MAX_TABLE
from issbox.rules.content.urls import mask_url

if TYPE_CHECKING:
    from issbox.rules.content.definitions import Change, DefinitionsPlan
    from issbox.workflows.content.definitions import ExportedDefinitions

_STANDARD = Path("-")
_SECRET = ("url", "proxy")
_MEANINGS = "\n".join(f"  {name:<20} {meaning.replace('`', '')}" for name, meaning in COLUMNS.items())


@dataclass(frozen=True, slots=True)
class Written:
    """Definitions and where they were written."""

    exported: "ExportedDefinitions"
    path: Path | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a table changed or would change."""

    plan: "DefinitionsPlan"
    dry_run: bool


WRITTEN = Shape[Written](
    "definitions",
    (
        Field("path", "the file, or null for standard output", lambda each: each.path),
        Field("products", "number of products", lambda each: each.exported.products),
        Field("repositories", "number of repositories", lambda each: each.exported.repositories),
        Field(
            "left_out",
            "array of `product/repository` whose URL or proxy has a user, password or query that the file does not",
            lambda each: each.exported.left_out,
        ),
        Field("csv", "the text, or null when it is in a file", lambda each: None if each.path else each.exported.text),
    ),
)

TAKEN = Shape[Taken](
    "definitions import",
    (
        Field("dry_run", "true when nothing was changed, only planned", lambda each: each.dry_run),
        Field(
            "changes",
            "array of objects: `product`, `repository` or null for the product itself, `action` (`create` or "
            "`update`), `line` of the file, and `values`, an object of what it gets; secrets are shown as `***`",
            lambda each: [_document(change) for change in each.plan.changes],
            show=lambda changes: "; ".join(map(_sentence, changes)) if isinstance(changes, list) else "",
        ),
        Field(
            "unchanged",
            "number of products and repositories that are as the file says already",
            lambda each: each.plan.unchanged,
        ),
    ),
)


@command(
    "export-csv",
    example="issbox product export-csv --output definitions.csv",
    shape=WRITTEN,
)
@organization_option
@click.option(
    "--output",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    default=_STANDARD,
    metavar="FILE",
    help="Write it here; - for standard output, where it goes otherwise.",
)
@click.option("--with-secrets", is_flag=True, help="Keep users, passwords and queries of URLs; guard the file well.")
def export_csv(run: Run, *, organization: str | None, output: Path, with_secrets: bool) -> None:
    """Write products and repositories as CSV, to change them in bulk or to move them to another box.

    All URLs are replaced in it by `sed -i 's#https://mirror.example.com/#file:///media/usb/#' FILE`, for example.

    Content credentials go by label: make them on the other box first. A cell that a spreadsheet would take for a
    formula begins with an apostrophe, which `import-csv` takes off.
    """
    from issbox.workflows.content import definitions

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    path = None if output == _STANDARD else output
    definitions.require_files(ctx, owner, path)
    made = definitions.export_definitions(ctx, owner, secrets=with_secrets)
    if path is not None:
        definitions.write_definitions(made, path, secrets=with_secrets)
    if made.left_out:
        run.say(f"Secrets were left out of the URLs of {', '.join(made.left_out)}; --with-secrets keeps them.")
    if path is not None:
        run.say(f"Written: {path}, with {made.products} products and {made.repositories} repositories.")
    if path is not None or run.as_json:
        run.show(WRITTEN, Written(made, path))
        return
    run.progress.close()
    out.write(made.text)


@command(
    "import-csv",
    example="issbox product import-csv definitions.csv --dry-run",
    shape=TAKEN,
)
@click.argument("file", metavar="FILE", type=click.Path(readable=False, path_type=Path, dir_okay=False))
@organization_option
@click.option("--dry-run", is_flag=True, help="Only check the file and show what it would change.")
def import_csv(run: Run, *, file: Path, organization: str | None, dry_run: bool) -> None:
    """Make and update products and repositories as a CSV says; - reads standard input.

    What is missing is made, what differs is updated, and nothing is ever deleted. Every mistake is listed with its
    line, and then nothing is changed. Red Hat products are never made; of their repositories only the source is
    changed. A URL without user, password and query leaves those of the same URL as they are.
    """
    from issbox.workflows.content import definitions

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    definitions.require_files(ctx, owner, None if file == _STANDARD else file)
    data = read_file(str(file), "a table of definitions", MAX_TABLE, hint="Import it in several files.")
    plan = definitions.import_definitions(ctx, owner, data, dry_run=dry_run)
    words = "would be " if dry_run else ""
    made = sum(not change.exists for change in plan.changes)
    run.say(f"{words}created: {made}, {words}updated: {len(plan.changes) - made}, unchanged: {plan.unchanged}")
    run.show(TAKEN, Taken(plan, dry_run))


import_csv.help = f"{import_csv.help}\n\n\b\nColumns; only the first must be there:\n{_MEANINGS}"


def _document(change: "Change") -> dict[str, object]:
    return {
        "product": change.product,
        "repository": change.repository or None,
        "action": "update" if change.exists else "create",
        "line": change.line,
        "values": {
            name: mask_url(value) if name in _SECRET and value else value for name, value in change.values.items()
        },
    }


def _sentence(document: Mapping[str, object]) -> str:
    name = f"{document['product']}/{document['repository']}" if document["repository"] else str(document["product"])
    return f"{document['action']} {name} ({for_people(document['values'])})"
