"""What a table of products and repositories changes in an organization: the plan, with everything against it.

Missing custom products and repositories are made, existing ones updated where they differ, and nothing is ever deleted.
Red Hat products are never made here; of their repositories only where and how they are synchronized is changed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from issbox.errors import InvalidValueError
from issbox.model import CredentialKind, Product, ProductKind, Repository
from issbox.names import check_label, check_name
from issbox.rules.bundles.importing import Library
from issbox.rules.bundles.layout import custom_path
from issbox.rules.content.definition_table import Problem, Row
from issbox.rules.content.sources import misfit
from issbox.rules.content.urls import PROXY_SCHEMES, check_url, without_secrets

_WORDS: Final = {"yes": True, "no": False, "true": True, "false": False}
_CREDENTIALS: Final = {
    "product_gpg_key": CredentialKind.GPG_KEY,
    "gpg_key": CredentialKind.GPG_KEY,
    "ca": CredentialKind.CA_CERTIFICATE,
    "client_certificate": CredentialKind.CLIENT_CERTIFICATE,
}
_OF_PRODUCT: Final = {"product_name": "name", "product_description": "description", "product_gpg_key": "gpg_key"}
_OF_REPOSITORY: Final = ("name", "url", "gpg_key", "ca", "client_certificate", "proxy")
_MANIFEST: Final = "the subscription manifest says it, so it cannot be changed here"


@dataclass(frozen=True, slots=True)
class Change:
    """A product or repository that is made or updated."""

    line: int
    product: str
    repository: str
    """Empty for the product itself."""
    exists: bool
    values: Mapping[str, Any]
    """What it gets, by the words of its use case; an empty text takes away."""


@dataclass(frozen=True, slots=True)
class DefinitionsPlan:
    """What importing a table changes."""

    problems: tuple[Problem, ...]
    """By line; when there are any, nothing is changed."""
    changes: tuple[Change, ...]
    """Products first."""
    unchanged: int
    """Products and repositories that are as the table says already."""


def describe_definitions(
    products: Iterable[Product], repositories: Iterable[Repository], *, secrets: bool
) -> list[dict[str, str]]:
    """Give the rows of the table that says what an organization has."""
    owned: dict[str, list[Repository]] = {}
    for each in repositories:
        owned.setdefault(each.key.product, []).append(each)
    rows = []
    for product in products:
        first = {
            "product": product.label,
            "product_name": product.name,
            "product_description": product.description,
            "product_gpg_key": product.gpg_key or "",
            "kind": product.kind.value,
        }
        rows += [{**first, **_describe(each, secrets=secrets)} for each in owned.get(product.label, ())] or [first]
    return rows


def _describe(repository: Repository, *, secrets: bool) -> dict[str, str]:
    upstream, content = repository.upstream, repository.content
    show: Callable[[str], str] = str if secrets else without_secrets
    return {
        "repository": repository.key.label,
        "name": repository.name,
        "url": show(upstream.url) if upstream.url else "",
        "gpg_key": repository.gpg_key or "",
        "ca": upstream.ca or "",
        "client_certificate": upstream.client_certificate or "",
        "proxy": show(upstream.proxy) if upstream.proxy else "",
        "check_metadata": "yes" if upstream.check_metadata else "no",
        "check_packages": "yes" if upstream.check_packages else "no",
        "content_type": content.type,
        "content_path": content.path,
        "arches": " ".join(content.arches),
    }


def hides_secrets(repository: Repository) -> bool:
    """Tell whether a table without secrets leaves something of the repository's URLs out."""
    urls = (repository.upstream.url, repository.upstream.proxy)
    return any(url and without_secrets(url) != url for url in urls)


def plan_definitions(rows: Sequence[Row], library: Library) -> DefinitionsPlan:
    """Say what these rows change; all problems are collected."""
    planner = _Planner(library)
    for row in rows:
        planner.add(row)
    products = [planner.product_change(label, group) for label, group in planner.products.items()]
    repositories = [planner.repository_change(row) for row in planner.repositories.values()]
    changes = [each for each in (*products, *repositories) if each is not None]
    unchanged = len(products) + len(repositories) - len(changes)
    return DefinitionsPlan(tuple(sorted(set(planner.problems))), tuple(changes), unchanged)


@dataclass
class _Planner:
    library: Library
    problems: list[Problem] = field(default_factory=list)
    products: dict[str, list[Row]] = field(default_factory=dict)
    """The rows of each product."""
    repositories: dict[tuple[str, str], Row] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Check what can be said of a row alone, and put it where it belongs."""
        if not self._label(row, "product"):
            return
        self.products.setdefault(row["product"], []).append(row)
        if not row["repository"]:
            said = [column for column in (*_OF_REPOSITORY, "check_metadata", "check_packages") if row[column]]
            if said:
                self._refuse(row, "repository", f"it is empty, but the line says {', '.join(said)}")
        elif self._label(row, "repository"):
            other = self.repositories.setdefault((row["product"], row["repository"]), row)
            if other is not row:
                self._refuse(row, "repository", f"{row['product']}/{row['repository']} is on line {other.line} already")
        for column, kind in _CREDENTIALS.items():
            self._credential(row, column, kind)

    def product_change(self, label: str, group: list[Row]) -> Change | None:
        """Say what becomes of a product."""
        first = group[0]
        for row in group[1:]:
            for column in ("kind", *_OF_PRODUCT):
                if row[column] != first[column]:
                    self._refuse(row, column, f"it differs from that of the same product on line {first.line}")
        present = self.library.products.get(label)
        kind = self._kind(first, present)
        if kind is ProductKind.REDHAT and present is None:
            self._refuse(
                first, "product", f"the Red Hat product {label} is made by importing a subscription manifest only"
            )
        if present is not None and present.kind is not kind:
            self._refuse(first, "kind", f"the product {label} is {kind}, but {present.kind} in this organization")
        given = {word: first[column] for column, word in _OF_PRODUCT.items() if column in first.cells}
        if not given.get("name"):
            given.pop("name", None)
        if present is None:
            given = {"name": label, **{word: text for word, text in given.items() if text}}
        self._name(first, "product_name", given.get("name"), "product name")
        was = {} if present is None else {word: getattr(present, word) or "" for word in given}
        values = {word: text for word, text in given.items() if present is None or text != was[word]}
        if present is not None and present.kind is ProductKind.REDHAT and values:
            columns = [column for column, word in _OF_PRODUCT.items() if word in values]
            self._refuse(first, columns[0], _MANIFEST)
        return self._change(first, "", values, exists=present is not None)

    def repository_change(self, row: Row) -> Change | None:
        """Say what becomes of a repository."""
        product, label = row["product"], row["repository"]
        owner, present = self.library.products.get(product), self.library.repositories.get((product, label))
        kind = self._kind(row, None) if owner is None else owner.kind
        if present is None and owner is not None and kind is ProductKind.REDHAT:
            self._refuse(row, "repository", "a repository of a Red Hat product is enabled, not made by a table")
        self._content(row, kind, present)
        self._urls(row, kind)
        given = self._repository_values(row)
        if present is None:
            values = {"name": label, **{word: value for word, value in given.items() if value not in {"", ()}}}
        else:
            was = _present_values(present)
            values = {word: value for word, value in given.items() if not _same(word, was[word], value)}
        self._name(row, "name", values.get("name"), "repository name")
        if kind is ProductKind.REDHAT and present is not None:
            for word in ("name", "arches"):
                if word in values:
                    self._refuse(row, word, _MANIFEST)
        return self._change(row, label, values, exists=present is not None)

    def _repository_values(self, row: Row) -> dict[str, Any]:
        values: dict[str, Any] = {word: row[word] for word in _OF_REPOSITORY if word in row.cells}
        if not row["name"]:
            values.pop("name", None)
        for word in ("check_metadata", "check_packages"):
            if row[word]:
                said = _WORDS.get(row[word].lower())
                if said is None:
                    self._refuse(row, word, f"{row[word][:64]!r} is neither yes nor no")
                values[word] = bool(said)
        if "arches" in row.cells:
            arches = tuple(row["arches"].split())
            for arch in arches:
                self._try(row, "arches", partial(check_label, arch, "architecture"))
            if len(set(arches)) != len(arches):
                self._refuse(row, "arches", "an architecture is there twice")
            values["arches"] = arches
        return values

    def _content(self, row: Row, kind: ProductKind, present: Repository | None) -> None:
        if row["content_type"] not in {"", "yum"}:
            self._refuse(row, "content_type", f"{row['content_type'][:64]!r} is not yum, the only type there is")
        path = row["content_path"]
        if kind is ProductKind.CUSTOM:
            wanted = f"/{custom_path(row['product'], row['repository'])}"
        else:
            wanted = path if present is None else present.content.path
        if path and path != wanted:
            self._refuse(row, "content_path", f"{path[:200]!r} must be {wanted}: a repository never moves")

    def _urls(self, row: Row, kind: ProductKind) -> None:
        if row["url"] and self._try(row, "url", lambda: check_url(row["url"])):
            reason = misfit(kind, row["url"])
            if reason is not None:
                self._refuse(row, "url", reason)
        if row["proxy"]:
            self._try(row, "proxy", lambda: check_url(row["proxy"], PROXY_SCHEMES, "proxy URL"))

    def _kind(self, row: Row, present: Product | None) -> ProductKind:
        given = row["kind"].lower()
        if given in set(ProductKind):
            return ProductKind(given)
        if given and row is self.products[row["product"]][0]:
            self._refuse(row, "kind", f"{given[:64]!r} is neither custom nor redhat")
        return ProductKind.CUSTOM if present is None else present.kind

    def _credential(self, row: Row, column: str, kind: CredentialKind) -> None:
        label = row[column]
        present = self.library.credentials.get(label)
        if label and present is None:
            self._refuse(row, column, f"there is no content credential {label[:128]!r} in this organization")
        elif present is not None and present.kind is not kind:
            self._refuse(row, column, f"the content credential {label} is a {present.kind}, not a {kind}")

    def _name(self, row: Row, column: str, name: str | None, what: str) -> None:
        if name is not None:
            self._try(row, column, lambda: check_name(name, what))

    def _label(self, row: Row, column: str) -> bool:
        return self._try(row, column, lambda: check_label(row[column], f"{column} label"))

    def _try(self, row: Row, column: str, check: Callable[[], object]) -> bool:
        try:
            check()
        except InvalidValueError as error:
            self._refuse(row, column, str(error))
            return False
        return True

    def _change(self, row: Row, repository: str, values: Mapping[str, Any], *, exists: bool) -> Change | None:
        return None if exists and not values else Change(row.line, row["product"], repository, exists, values)

    def _refuse(self, row: Row, column: str, message: str) -> None:
        self.problems.append(Problem(row.line, column, message))


def _present_values(present: Repository) -> dict[str, Any]:
    upstream = present.upstream
    return {
        "name": present.name,
        "url": upstream.url or "",
        "gpg_key": present.gpg_key or "",
        "ca": upstream.ca or "",
        "client_certificate": upstream.client_certificate or "",
        "proxy": upstream.proxy or "",
        "check_metadata": upstream.check_metadata,
        "check_packages": upstream.check_packages,
        "arches": present.content.arches,
    }


def _same(word: str, present: Any, given: Any) -> bool:
    """Tell whether a value stays. A URL from which secrets were left out is the one that has them here."""
    if present == given:
        return True
    return word in {"url", "proxy"} and bool(given) and bool(present) and without_secrets(present) == given
