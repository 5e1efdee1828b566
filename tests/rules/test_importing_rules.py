"""What a bundle may change: the plan of an import and every reason against it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from issbox.manifest import (
    FORMAT,
    FORMAT_VERSION,
    BundleIdentity,
    BundleKind,
    BundleSource,
    Manifest,
    ManifestCredential,
    ManifestOrganization,
    ManifestProduct,
    ManifestRepository,
    ManifestVersion,
    TableReference,
    Totals,
    Volume,
)
from issbox.model import (
    Content,
    ContentCredential,
    CredentialKind,
    ImportMark,
    Product,
    ProductKind,
    Repository,
    RepositoryKey,
    Upstream,
)
from issbox.rules.bundles.importing import Library, plan_import

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BOX = "4be0643f-1d98-573b-97cd-ca98a65347dd"


def described(
    label: str = "base", product: str = "tools", *, number: int = 3, path: str | None = None, content_id: str = "c-1"
) -> ManifestRepository:
    path = path or f"custom/{product}/{label}"
    return ManifestRepository(
        product=product,
        label=label,
        name=label.title(),
        content=Content(content_id, label, label.title(), f"/{path}"),
        path=path,
        version=ManifestVersion(number=number, created_at=NOW, repomd_sha256="0" * 64, packages=1),
        files=1,
        size=1,
    )


def manifest(
    *repositories: ManifestRepository,
    kind: ProductKind = ProductKind.CUSTOM,
    credentials: Iterable[ManifestCredential] = (),
    product_name: str = "Tools",
) -> Manifest:
    products = sorted({repository.product for repository in repositories})
    return Manifest(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        bundle=BundleIdentity(id="b-1", kind=BundleKind.COMPLETE, created_at=NOW, destination="", sequence=1),
        source=BundleSource(box_id=BOX, box_name="outside", key_id="0" * 64, software="issbox"),
        organization=ManifestOrganization(label="acme", name="Acme"),
        content_credentials=tuple(credentials),
        products=tuple(ManifestProduct(label=label, name=product_name, kind=kind) for label in products),
        repositories=repositories,
        files=Totals(count=1, size=1, carried_count=1, carried_size=1),
        table=TableReference(path="issbox-files.jsonl", size=1, sha256="0" * 64),
        volumes=(Volume(number=1, size=1),),
    )


def library(
    products: Iterable[Product] = (),
    repositories: Iterable[Repository] = (),
    credentials: Iterable[ContentCredential] = (),
) -> Library:
    return Library(
        "acme",
        {product.label: product for product in products},
        {(repository.key.product, repository.key.label): repository for repository in repositories},
        {credential.label: credential for credential in credentials},
    )


def present(label: str = "base", product: str = "tools", *, imported: ImportMark | None = None) -> Repository:
    return Repository(
        RepositoryKey("acme", product, label),
        label.title(),
        Content("here-1", label, label.title(), f"/custom/{product}/{label}"),
        f"custom/{product}/{label}",
        upstream=Upstream("https://example.com/repo"),
        latest=1,
        imported=imported,
    )


REDHAT = Product("acme", "rhel", "RHEL", ProductKind.REDHAT)
CUSTOM = Product("acme", "tools", "Tools")


def codes(*args: object, **kwargs: object) -> set[str]:
    return {refusal.code for refusal in plan_import(*args, **kwargs).refusals}  # type: ignore[arg-type] # passed on


def test_custom_products_and_repositories_are_created_by_label() -> None:
    plan = plan_import(manifest(described("base"), described("extras")), library())
    assert plan.refusals == ()
    assert [product.label for product in plan.products_to_create] == ["tools"]
    assert [str(each.repository.key) for each in plan.repositories] == ["acme/tools/base", "acme/tools/extras"]
    assert not any(each.exists for each in plan.repositories)
    assert plan.repositories[0].mark == ImportMark(BOX, 3)


def test_existing_custom_ones_are_updated_and_keep_their_upstream_and_content_id() -> None:
    bundle = manifest(replace(described(), name="New name"), product_name="New tools")
    plan = plan_import(bundle, library([CUSTOM], [present()]))
    assert plan.products_to_create == ()
    assert [product.name for product in plan.products_to_update] == ["New tools"]
    (planned,) = plan.repositories
    assert planned.exists
    assert planned.changed
    assert planned.repository.name == "New name"
    assert planned.repository.upstream.url == "https://example.com/repo"
    assert planned.repository.content.id == "here-1"


def test_an_unchanged_repository_is_not_updated() -> None:
    plan = plan_import(manifest(described()), library([CUSTOM], [present()]))
    assert plan.products_to_update == ()
    assert not plan.repositories[0].changed


@pytest.mark.parametrize(
    ("offered", "code", "words"),
    [
        (None, "red-hat-manifest-missing", "issbox manifest import FILE.zip"),
        (frozenset({"1"}), "red-hat-content-missing", "Add a subscription"),
        (frozenset({"c-1"}), "red-hat-repository-missing", "cdn enable base --release 9 --arch x86_64 --no-check"),
    ],
)
def test_red_hat_products_are_never_created_and_the_hint_says_what_to_do(
    offered: frozenset[str] | None, code: str, words: str
) -> None:
    there = replace(
        described(product="rhel", path="content/dist/rhel9"), variables={"basearch": "x86_64", "releasever": "9"}
    )
    plan = plan_import(manifest(there, kind=ProductKind.REDHAT), replace(library(), offered=offered))
    assert [refusal.code for refusal in plan.refusals] == [code]
    assert plan.products_to_create == ()
    assert words in plan.refusals[0].hint


def test_custom_content_never_takes_an_id_of_red_hats() -> None:
    here = replace(library(), offered=frozenset({"c-1"}))
    assert codes(manifest(described()), here) == {"content-kind"}
    enabled = replace(present("x", "rhel"), content=Content("c-1", "x", "x", "/content/dist/rhel9/os"))
    assert codes(manifest(described()), library([REDHAT], [enabled])) == {"content-kind"}
    kept = plan_import(manifest(described()), replace(library([CUSTOM], [present()]), offered=frozenset({"c-1"})))
    assert kept.repositories[0].repository.content.id == "here-1", "what is there keeps its own"


def test_a_red_hat_product_may_have_another_label_here() -> None:
    here = replace(present("x", "rhel"), content=Content("c-1", "x", "x", "/content/dist/rhel9/os"), variables={})
    there = described(product="Red_Hat", path="content/dist/rhel9/os")
    plan = plan_import(manifest(there, kind=ProductKind.REDHAT), library([REDHAT], [here]))
    assert plan.refusals == ()
    assert plan.repositories[0].repository.key == here.key


def test_red_hat_repositories_are_matched_by_content_id_and_variables_not_by_label() -> None:
    here = replace(
        present("here-label", "rhel"),
        content=Content("77", "x", "x", "/content/dist/rhel9/$releasever/$basearch/os"),
        variables={"releasever": "9", "basearch": "x86_64"},
    )
    there = replace(
        described("there-label", "rhel", path="content/dist/rhel9/9/x86_64/os", content_id="77"),
        variables={"releasever": "9", "basearch": "x86_64"},
    )
    plan = plan_import(manifest(there, kind=ProductKind.REDHAT), library([REDHAT], [here]))
    assert plan.refusals == ()
    assert plan.repositories[0].repository == here
    other_arch = replace(there, variables={"releasever": "9", "basearch": "aarch64"})
    assert codes(manifest(other_arch, kind=ProductKind.REDHAT), library([REDHAT], [here])) == {
        "red-hat-manifest-missing"
    }


@pytest.mark.parametrize("kind", [ProductKind.CUSTOM, ProductKind.REDHAT])
def test_custom_content_never_fills_a_red_hat_product_nor_the_other_way_round(kind: ProductKind) -> None:
    other = ProductKind.REDHAT if kind is ProductKind.CUSTOM else ProductKind.CUSTOM
    here = Product("acme", "tools", "Tools", other)
    assert "product-kind" in codes(manifest(described(), kind=kind), library([here], [present()]))


def test_a_custom_repository_cannot_claim_a_red_hat_path() -> None:
    assert codes(manifest(described(path="content/dist/rhel9/9/x86_64/os")), library()) == {"repository-path"}


def test_an_older_version_of_the_same_box_is_refused_unless_asked_for() -> None:
    here = library([CUSTOM], [present(imported=ImportMark(BOX, 4))])
    assert codes(manifest(described(number=3)), here) == {"older-bundle"}
    assert codes(manifest(described(number=3)), here, allow_older=True) == set()
    assert codes(manifest(described(number=4)), here) == set()


def test_versions_of_another_box_are_not_compared() -> None:
    here = library([CUSTOM], [present(imported=ImportMark("another", 4))])
    assert codes(manifest(described(number=3)), here) == set()


def test_all_refusals_are_reported_together_and_nothing_is_planned() -> None:
    here = library([REDHAT], [present("extras", imported=ImportMark(BOX, 9))])
    plan = plan_import(manifest(described("base", path="elsewhere"), described("extras"), described("c", "rhel")), here)
    assert {refusal.code for refusal in plan.refusals} == {"repository-path", "older-bundle", "product-kind"}
    assert plan.repositories == ()
    assert plan.products_to_create == ()


def test_gpg_keys_are_created_or_updated_by_label() -> None:
    keys = [ManifestCredential(label=label, name="Key", kind=CredentialKind.GPG_KEY, content="k2") for label in "ab"]
    here = library(credentials=[ContentCredential("acme", "a", "Key", CredentialKind.GPG_KEY, "k1")])
    plan = plan_import(manifest(described(), credentials=keys), here)
    assert [each.label for each in plan.credentials_to_create] == ["b"]
    assert [(each.label, each.content) for each in plan.credentials_to_update] == [("a", "k2")]


def test_a_gpg_key_never_replaces_a_certificate() -> None:
    key = ManifestCredential(label="a", name="Key", kind=CredentialKind.GPG_KEY, content="k")
    here = library(credentials=[ContentCredential("acme", "a", "CA", CredentialKind.CA_CERTIFICATE, "pem")])
    assert codes(manifest(described(), credentials=[key]), here) == {"credential-kind"}
