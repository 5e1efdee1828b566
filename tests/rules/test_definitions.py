"""Definitions as a table: what is written is read again, what is wrong is named, and the plan is what differs."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.model import (
    Content,
    ContentCredential,
    CredentialKind,
    Product,
    ProductKind,
    Repository,
    RepositoryKey,
    Upstream,
)
from issbox.rules.bundles.importing import Library
from issbox.rules.content import definition_table
from issbox.rules.content.definition_table import COLUMNS, Row, guard, read_table, unguard, write_table
from issbox.rules.content.definitions import DefinitionsPlan, describe_definitions, plan_definitions

TOOLS = Product("acme", "tools", "Tools", description="For all", gpg_key="key")
RHEL = Product("acme", "rhel", "RHEL", ProductKind.REDHAT)
BASE = Repository(
    RepositoryKey("acme", "tools", "base"),
    "Base",
    Content("id", "tools_base", "Base", "/custom/tools/base", arches=("x86_64", "noarch")),
    "custom/tools/base",
    gpg_key="key",
    upstream=Upstream("https://me:hush@example.com/base?token=hush", "ca", "client", "http://p:hush@proxy/"),
)
BASEOS = Repository(
    RepositoryKey("acme", "rhel", "baseos"),
    "BaseOS",
    Content("4711", "rhel-9-baseos", "BaseOS", "/content/dist/rhel9/$releasever/os"),
    "content/dist/rhel9/9/os",
    variables={"releasever": "9"},
)
KINDS = {
    "key": CredentialKind.GPG_KEY,
    "ca": CredentialKind.CA_CERTIFICATE,
    "client": CredentialKind.CLIENT_CERTIFICATE,
}
CREDENTIALS = {label: ContentCredential("acme", label, label, kind, "") for label, kind in KINDS.items()}
EMPTY = Library("acme", {}, {}, CREDENTIALS)
FULL = Library(
    "acme",
    {"tools": TOOLS, "rhel": RHEL},
    {("tools", "base"): BASE, ("rhel", "baseos"): BASEOS},
    CREDENTIALS,
)

labels = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
lines = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" =+-@'\",;"), min_size=1, max_size=20)
names = lines.filter(lambda text: bool(text.strip()))
descriptions = st.text(st.characters(exclude_categories=["C"]) | st.sampled_from("\n\r\t=+-@'\","), max_size=30)


def text_of(*rows: Mapping[str, str]) -> bytes:
    return write_table(rows).encode()


def plan(library: Library, text: str | bytes) -> DefinitionsPlan:
    rows, problems = read_table(text.encode() if isinstance(text, str) else text)
    assert problems == []
    return plan_definitions(rows, library)


def problems(library: Library, text: str | bytes) -> list[str]:
    rows, found = read_table(text.encode() if isinstance(text, str) else text)
    return [str(each) for each in (*found, *plan_definitions(rows, library).problems)]


@given(st.text(max_size=30))
def test_no_cell_begins_like_a_formula_and_every_one_comes_back(cell: str) -> None:
    assert guard(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"}  # noqa: RUF001 (these are meant)
    assert unguard(guard(cell)) == cell


@given(st.lists(st.fixed_dictionaries({"product": labels, "product_name": names, "product_description": descriptions})))
def test_what_is_written_is_read_again(cells: list[dict[str, str]]) -> None:
    rows, found = read_table(text_of(*cells))
    assert found == []
    assert [{column: row[column] for column in cells[0]} for row in rows] == cells


@given(st.lists(st.fixed_dictionaries({"product": labels, "product_description": descriptions}), max_size=5))
def test_lines_are_counted_as_an_editor_counts_them(cells: list[dict[str, str]]) -> None:
    text = text_of(*cells)
    editor = text.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for row in read_table(text)[0]:
        assert guard(row["product"]) in editor[row.line - 1]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_is_read_gives_rows_or_problems(data: bytes) -> None:
    for library in (EMPTY, FULL):
        for head in (b"", ",".join(COLUMNS).encode() + b"\n", b"product\n"):
            rows, found = read_table(head + data)
            assert all(each.line >= 1 for each in (*found, *plan_definitions(rows, library).problems))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_spreadsheets_make_of_it_is_read_too(separator: str, newline: str, mark: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=newline)
    writer.writerows([["Product", " name ", "repository"], ["tools", "a, b; c", "base"], ["", "", ""]])
    (row,), found = read_table((mark + out.getvalue()).encode())
    assert found == []
    assert row.cells == {"product": "tools", "name": "a, b; c", "repository": "base"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1: the file is empty; its first line must name the columns: product,"),
        (b"\n\n", "line 1: the file is empty"),
        (b"name,url\n", "line 1: the column 'product' is missing"),
        (b"product,urls\n", "line 1: 'urls' is not a column: did you mean 'url'?"),
        (b"product,\xc3\xa9\n", "is not a column: the columns are product,"),
        (b"product,url,url\n", "line 1: the column 'url' is there 2 times"),
        (b"product,url\ntools\n", "line 2: it has 1 cells, but the header has 2"),
        (b"product,url\ntools,a,b\n", "line 2: it has 3 cells"),
        (b"product\ntools\n\xff\n", "line 3: it is not UTF-8"),
        (b'product\ntools\n"base"x\n', "line 3: it is no CSV from here on"),
        (b'product\n"tools\n', "line 2: it is no CSV from here on"),
        (b"product,name\ntools,a\x1bb\n", "line 2, name: it has a control or invisible character"),
        (b"product,name\ntools,a\x00b\n", "line 2, name: it has a control or invisible character"),
        (b'product,name\ntools,"a\nb"\n', "line 2, name: it has a control or invisible character"),
        ("product,name\ntools,a\u202eb\n".encode(), "line 2, name: it has a control or invisible character"),
        (b"product,name\ntools," + b"x" * 9000 + b"\n", "line 2, name: it has more than 8192 characters"),
        (b"product,name\ntools," + b"x" * 200_000 + b"\n", "line 2: it is no CSV from here on: field larger"),
    ],
)
def test_what_is_no_table_is_said_with_its_line(data: bytes, said: str) -> None:
    assert said in problems(EMPTY, data)[0]


def test_a_table_without_end_is_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition_table, "MAX_ROWS", 3)
    rows, found = read_table(b"product\n" + b"tools\n" * 9)
    assert rows == []
    assert [str(each) for each in found] == ["line 5: there are more than 3 lines; import them in several files"]


def test_what_was_exported_changes_nothing_where_it_came_from() -> None:
    for secrets in (True, False):
        rows = describe_definitions([RHEL, TOOLS], [BASE, BASEOS], secrets=secrets)
        done = plan(FULL, text_of(*rows))
        assert (done.problems, done.changes, done.unchanged) == ((), (), 4)


def test_secrets_stay_at_home_unless_asked_for() -> None:
    assert b"hush" not in text_of(*describe_definitions([TOOLS], [BASE], secrets=False))
    assert text_of(*describe_definitions([TOOLS], [BASE], secrets=True)).count(b"hush") == 3


def test_an_exported_custom_product_is_made_elsewhere() -> None:
    done = plan(EMPTY, text_of(*describe_definitions([TOOLS], [BASE], secrets=True)))
    assert done.problems == ()
    product, repository = done.changes
    assert (product.product, product.repository, product.exists) == ("tools", "", False)
    assert product.values == {"name": "Tools", "description": "For all", "gpg_key": "key"}
    assert (repository.product, repository.repository, repository.exists) == ("tools", "base", False)
    assert repository.values == {
        "name": "Base",
        "url": "https://me:hush@example.com/base?token=hush",
        "gpg_key": "key",
        "ca": "ca",
        "client_certificate": "client",
        "proxy": "http://p:hush@proxy/",
        "check_metadata": True,
        "check_packages": False,
        "arches": ("x86_64", "noarch"),
    }


def values(library: Library, text: str) -> list[tuple[str, Mapping[str, Any]]]:
    done = plan(library, text)
    assert done.problems == ()
    return [(each.repository, each.values) for each in done.changes]


def test_only_what_differs_is_changed_and_what_is_not_said_stays() -> None:
    assert values(FULL, "product,repository\ntools,base\n") == []
    assert values(FULL, "product,product_name,name,repository\ntools,,,base\n") == []
    assert values(FULL, "product,repository,url\ntools,base,https://new/\n") == [("base", {"url": "https://new/"})]
    assert values(FULL, "product,repository,url\ntools,base,https://example.com/base\n") == []
    assert values(FULL, "product,repository,url,gpg_key\ntools,base,,\n") == [("base", {"url": "", "gpg_key": ""})]
    assert values(FULL, "product,repository,check_packages\ntools,base,YES\n") == [("base", {"check_packages": True})]
    assert values(FULL, "product,repository,arches\ntools,base,noarch x86_64\n") == [
        ("base", {"arches": ("noarch", "x86_64")})
    ]
    assert values(FULL, "product,product_gpg_key,product_name\ntools,,New\n") == [("", {"gpg_key": "", "name": "New"})]
    assert values(EMPTY, "product\nnew\n") == [("", {"name": "new"})]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not a label,base", "line 2, product: product label 'not a label' is not valid"),
        ("tools,not a label", "line 2, repository: repository label 'not a label' is not valid"),
        ("tools,new,url=ftp://example.com/", "line 2, url: the source URL ftp://example.com/ must begin with"),
        ("tools,new,url=http://me:hush@example.com/#x", "line 2, url: the source URL http://***@example.com/#x has"),
        ("tools,new,url=https://cdn.redhat.com/x", "line 2, url: it is a place of Red Hat content"),
        ("rhel,baseos,url=file:///media/custom/tools/base", "line 2, url: it is a place of custom content"),
        ("tools,new,proxy=ftp://p/", "line 2, proxy: the proxy URL ftp://p/ must begin with"),
        ("tools,new,gpg_key=none", "line 2, gpg_key: there is no content credential 'none'"),
        ("tools,new,gpg_key=ca", "line 2, gpg_key: the content credential ca is a ca-certificate, not a gpg-key"),
        ("tools,new,ca=key", "line 2, ca: the content credential key is a gpg-key, not a ca-certificate"),
        ("tools,new,product_gpg_key=client", "line 2, product_gpg_key: the content credential client is a client"),
        ("tools,new,check_metadata=maybe", "line 2, check_metadata: 'maybe' is neither yes nor no"),
        ("tools,new,content_type=docker", "line 2, content_type: 'docker' is not yum"),
        ("tools,new,content_path=/custom/tools/other", "line 2, content_path: '/custom/tools/other' must be /custom/"),
        ("tools,new,arches=x86/64", "line 2, arches: architecture 'x86/64' is not valid"),
        ("tools,new,arches=noarch noarch", "line 2, arches: an architecture is there twice"),
        ("tools,new,kind=other", "line 2, kind: 'other' is neither custom nor redhat"),
        ("tools,,url=https://example.com/", "line 2, repository: it is empty, but the line says url"),
        (f"tools,new,name={'x' * 300}", "line 2, name: repository name"),
        ("tools,new,kind=redhat", "line 2, kind: the product tools is redhat, but custom in this organization"),
        ("rhel,baseos,kind=custom", "line 2, kind: the product rhel is custom, but redhat in this organization"),
        ("rhel8,baseos,kind=redhat", "line 2, product: the Red Hat product rhel8 is made by importing a subscription"),
        ("rhel,new", "line 2, repository: a repository of a Red Hat product is enabled, not made by a table"),
        ("rhel,baseos,name=Other", "line 2, name: the subscription manifest says it"),
        ("rhel,baseos,arches=s390x", "line 2, arches: the subscription manifest says it"),
        ("rhel,,product_name=Other", "line 2, product_name: the subscription manifest says it"),
        (
            "rhel,baseos,content_path=/content/dist/other",
            "line 2, content_path: '/content/dist/other' must be /content",
        ),
    ],
)
def test_each_mistake_is_named_with_line_and_column(line: str, said: str) -> None:
    product, repository, *rest = line.split(",")
    cells = {"product": product, "repository": repository, **dict(each.split("=", 1) for each in rest)}
    header, row = ",".join(cells), ",".join(cells.values())
    found = problems(FULL, f"{header}\n{row}\n")
    assert len(found) == 1
    assert found[0].startswith(said)


def test_all_mistakes_are_collected() -> None:
    text = (
        "product,product_name,repository,url\n"
        "tools,One,base,nothing\n"
        "tools,Two,base,https://example.com/\n"
        "other,,new,gopher://x/\n"
    )
    found = problems(FULL, text)
    assert [each.partition(":")[0] for each in found] == [
        "line 2, url",
        "line 3, product_name",
        "line 3, repository",
        "line 4, url",
    ]


def test_of_red_hat_repositories_only_the_source_changes() -> None:
    text = "product,repository,url,kind\nrhel,baseos,file:///media/usb/content/dist/rhel9/9/os,redhat\n"
    assert values(FULL, text) == [("baseos", {"url": "file:///media/usb/content/dist/rhel9/9/os"})]
    moved = replace(BASEOS, upstream=Upstream("file:///media/usb/content/dist/rhel9/9/os"))
    assert values(replace(FULL, repositories={("rhel", "baseos"): moved}), text) == []


@given(st.lists(st.tuples(labels, labels), unique=True, max_size=6), st.randoms())
def test_the_order_of_lines_does_not_matter(keys: list[tuple[str, str]], random: Any) -> None:
    rows = [Row(number, {"product": one, "repository": two}) for number, (one, two) in enumerate(keys, 2)]
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = plan_definitions(rows, EMPTY), plan_definitions(shuffled, EMPTY)
    assert {(each.product, each.repository) for each in one.changes} == {
        (each.product, each.repository) for each in other.changes
    }
    assert one.problems == other.problems == ()
