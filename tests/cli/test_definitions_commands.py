"""`product export-csv` and `product import-csv`: definitions move between boxes, whole or not at all."""

import stat
import subprocess
from pathlib import Path

import pytest
from makers.command_line import CommandLine

from issbox.model import Content, Product, ProductKind, Repository, RepositoryKey
from issbox.wiring import open_context

GPG_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"
URL = "https://me:hush@mirror.example.com/tools/base/"


@pytest.fixture
def full(issbox: CommandLine, tmp_path: Path) -> CommandLine:
    """A box with definitions of every kind."""
    key = tmp_path / "gpg"
    key.write_text(GPG_KEY)
    issbox("content-credential", "create", "--name", "key", "--type", "gpg-key", "--file", key)
    issbox("product", "create", "--name", "Tools", "--description", "=1+1, for\nall", "--gpg-key", "key")
    issbox("product", "create", "--name", "Empty one")
    of = ("--product", "Tools", "--url", URL, "--arch", "x86_64", "--arch", "noarch", "--no-check-metadata")
    issbox("repository", "create", "--name", "Base", "--gpg-key", "key", "--check-packages", *of)
    issbox("repository", "create", "--product", "Tools", "--name", "@extras", "--label", "-extras")
    return issbox


@pytest.fixture
def far(tmp_path: Path) -> CommandLine:
    box = CommandLine(tmp_path / "far")
    box("init", "--name", "Far", "--organization", "Other")
    return box


def add_redhat(box: CommandLine, organization: str) -> None:
    """Make what a subscription manifest makes."""
    ctx = open_context(environ={key: value for key, value in box.environ.items() if value is not None})
    content = Content("4711", "rhel-9-baseos", "BaseOS", "/content/dist/rhel9/$releasever/os")
    key = RepositoryKey(organization, "rhel", "baseos")
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.products.create(Product(organization, "rhel", "RHEL", ProductKind.REDHAT))
        path = "content/dist/rhel9/9/os"
        ctx.store.repositories.create(Repository(key, "BaseOS", content, path, {"releasever": "9"}))


def definitions(box: CommandLine) -> list[dict[str, object]]:
    """Give what a table can say, without the organization and what belongs to one box."""
    apart = {"organization", "content_id", "latest"}
    things = [*box.json("product", "list"), *box.json("repository", "list")]
    return [{key: value for key, value in each.items() if key not in apart} for each in things]


def test_definitions_move_to_another_box(full: CommandLine, far: CommandLine, tmp_path: Path) -> None:
    table = tmp_path / "definitions.csv"
    written = full.json("product", "export-csv", "--output", table, "--with-secrets")
    assert (written["products"], written["repositories"], written["left_out"]) == (2, 2, [])
    assert stat.S_IMODE(table.stat().st_mode) == 0o600
    error = far.error("product", "import-csv", table, code=3)
    assert error["code"] == "definitions-refused"
    assert error["message"].splitlines()[0] == "problems in the table: 3; nothing was changed"
    assert "line 3, product_gpg_key: there is no content credential 'key' in this organization" in error["message"]
    assert far.json("product", "list") == []
    far("content-credential", "create", "--name", "key", "--type", "gpg-key", "--file", tmp_path / "gpg")
    planned = far.json("product", "import-csv", table, "--dry-run")
    assert planned["dry_run"]
    assert [(each["product"], each["repository"], each["action"]) for each in planned["changes"]] == [
        ("Empty_one", None, "create"),
        ("Tools", None, "create"),
        ("Tools", "-extras", "create"),
        ("Tools", "Base", "create"),
    ]
    assert "hush" not in str(planned)
    assert far.json("product", "list") == []
    done = far("product", "import-csv", table)
    assert "created: 4, updated: 0, unchanged: 0" in done.stderr
    assert "hush" not in done.stdout + done.stderr
    assert definitions(far) == definitions(full)
    assert far("product", "export-csv", "--with-secrets").stdout == table.read_text()
    again = far.json("product", "import-csv", table)
    assert (again["changes"], again["unchanged"]) == ([], 4)


def test_sed_points_everything_to_a_medium_as_the_request_shows(full: CommandLine, tmp_path: Path) -> None:
    table = tmp_path / "definitions.csv"
    said = full("product", "export-csv", "--output", table).stderr
    assert "Secrets were left out of the URLs of Tools/Base" in said
    assert "hush" not in table.read_text()
    assert stat.S_IMODE(table.stat().st_mode) == 0o644
    assert full.json("product", "import-csv", table)["changes"] == []
    assert full.json("product", "export-csv", "--with-secrets")["csv"].count("me:hush@") == 1
    subprocess.run(["sed", "-i", "s#https://mirror.example.com/#file:///mnt/imports/#g", table], check=True)
    result = full.json("product", "import-csv", table)
    assert [each["values"] for each in result["changes"]] == [{"url": "file:///mnt/imports/tools/base/"}]
    info = full.json("repository", "info", "--product", "Tools", "--label", "Base")
    assert info["url"] == "file:///mnt/imports/tools/base/"
    actions = [each["action"] for each in full.json("audit", "list")]
    assert actions.count("repository.update") == 1


def test_a_spreadsheet_finds_no_formula(full: CommandLine) -> None:
    lines = full("product", "export-csv").stdout
    assert ',"\'=1+1, for\nall",' in lines
    assert ",'-extras,'@extras," in lines


def test_one_mistake_and_nothing_is_changed(full: CommandLine) -> None:
    before = definitions(full)
    table = "product,repository,name,url\nNew,one,One,https://example.com/\nTools,Base,Changed,nothing\n"
    assert "the file is empty" in full.error("product", "import-csv", "-", code=3)["message"]
    result = full("product", "import-csv", "-", stdin=table, code=3)
    assert "line 3, url: the source URL nothing must begin with http://" in result.stderr
    assert definitions(full) == before


def test_red_hat_products_come_from_manifests_only(full: CommandLine, far: CommandLine, tmp_path: Path) -> None:
    add_redhat(full, "ACME")
    table = full("product", "export-csv").stdout
    assert "\nrhel,RHEL,,,redhat,baseos,BaseOS,," in table
    medium = "file:///media/usb/content/dist/rhel9/9/os"
    table = "".join(line.replace(",BaseOS,,", f",BaseOS,{medium},") for line in table.splitlines(keepends=True))
    table = "\n".join(line for line in table.split("\n") if line.startswith(("product,", "rhel,")))
    result = far("product", "import-csv", "-", stdin=table, code=3)
    assert "line 2, product: the Red Hat product rhel is made by importing a subscription manifest" in result.stderr
    assert far.json("product", "list") == []
    add_redhat(far, "Other")
    far("product", "import-csv", "-", stdin=table)
    assert [each["url"] for each in far.json("repository", "list")] == [medium]
    custom = table.replace(medium, "file:///media/usb/custom/tools/base")
    refused = far("product", "import-csv", "-", stdin=custom, code=3)
    assert "line 2, url: it is a place of custom content, and a Red Hat product never holds" in refused.stderr


def test_users_give_tables_on_their_own_side(full: CommandLine, tmp_path: Path) -> None:
    full("user", "create", "--name", "ann")
    full("user", "grant", "--name", "ann", "--role", "org-admin", "--organization", "ACME", "--product", "Tools")
    ann = CommandLine(tmp_path)
    ann.environ = {**full.environ, "ISSBOX_USER": "ann"}
    key = full.state / "keys"
    for words in (("export-csv", "--output", tmp_path / "authorized_keys"), ("import-csv", key / "box.key")):
        error = ann.error("product", *words, code=12)
        assert "may not read or write files of this box" in error["message"]
        assert "ssh box issbox" in error["hint"]
    table = ann("product", "export-csv").stdout
    assert "Tools" in table
    assert "Empty_one" not in table
    ann("product", "import-csv", "-", stdin=table.replace("Base,https", "Better,https"))
    assert ann.json("repository", "info", "--label", "Base")["name"] == "Better"
    other = ann("product", "import-csv", "-", stdin="product\nEmpty_one\n", code=12)
    assert "of the product Empty_one" in other.stderr
    state = (full.state / "blobs").as_uri()
    refused = ann("product", "import-csv", "-", stdin=f"product,repository,url\nTools,Base,{state}\n", code=3)
    assert "line 2, url:" in refused.stderr
    assert "state directory" in refused.stderr


def test_hundreds_of_repositories_at_once(far: CommandLine) -> None:
    rows = "".join(f"product{number % 10},repository{number},https://example.com/{number}/\n" for number in range(300))
    table = f"product,repository,url\n{rows}"
    assert len(far.json("product", "import-csv", "-", stdin=table)["changes"]) == 310
    assert far.json("product", "import-csv", "-", stdin=table)["unchanged"] == 310
