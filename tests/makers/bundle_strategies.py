"""Hypothesis strategies for everything a bundle's head files can say."""

from datetime import UTC, timedelta, timezone

from hypothesis import strategies as st

from issbox.bundle.decoding import MAX_NUMBER
from issbox.manifest import (
    FORMAT,
    FORMAT_VERSION,
    TABLE_NAME,
    BundleIdentity,
    BundleKind,
    BundleSource,
    EntryKind,
    FileEntry,
    FilePart,
    Manifest,
    ManifestCredential,
    ManifestEnvironment,
    ManifestOrganization,
    ManifestProduct,
    ManifestPromotion,
    ManifestRepository,
    ManifestVersion,
    TableReference,
    Totals,
    Volume,
)
from issbox.model import LIBRARY, Content, CredentialKind, ProductKind
from issbox.names import path_problem

labels = st.text("abcXYZ019_-", min_size=1, max_size=8)
names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
numbers = st.integers(0, MAX_NUMBER)
times = st.datetimes(
    timezones=st.just(UTC) | st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
segments = st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\"), min_size=1, max_size=8)
paths = st.lists(segments, min_size=1, max_size=4).map("/".join).filter(lambda path: path_problem(path) is None)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
parts = st.builds(FilePart, volume=numbers, size=numbers, sha256=digests)
entries = st.builds(
    FileEntry,
    path=paths,
    size=numbers,
    sha256=digests,
    kind=st.sampled_from(EntryKind),
    repository=st.none() | numbers,
    volume=st.none() | numbers,
    parts=st.just(()) | st.lists(parts, max_size=3).map(tuple),
)


promotions = st.builds(
    ManifestPromotion, content_label=names, path=paths, repomd_sha256=digests, enabled=st.none() | st.booleans()
)
descriptions = st.text(st.characters(exclude_categories=["C"]) | st.sampled_from("\t\n"), max_size=30)


@st.composite
def environments(draw: st.DrawFn) -> tuple[ManifestEnvironment, ...]:
    """Give environments in an order in which each comes after its prior one."""
    made: list[ManifestEnvironment] = []
    forbidden = {"content_views", "content", "custom", "gpg-keys", "listing", "library"}
    usable = labels.filter(lambda label: label.casefold() not in forbidden)
    for label in draw(st.lists(usable, max_size=3, unique_by=str.casefold)):
        prior = draw(st.sampled_from([LIBRARY, *(each.label for each in made)]))
        made.append(
            ManifestEnvironment(
                label=label,
                name=draw(names),
                prior=prior,
                description=draw(descriptions),
                type=draw(st.just("") | labels),
                content_prefix=draw(st.sampled_from(["", "/$org/$env", "/x", "/a/b"])),
                promotions=tuple(draw(st.lists(promotions, max_size=2, unique_by=lambda each: each.path))),
            )
        )
    return tuple(made)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Give manifests that keep every rule."""
    kind = draw(st.sampled_from(BundleKind))
    credentials = draw(
        st.lists(
            st.builds(
                ManifestCredential,
                label=labels,
                name=names,
                kind=st.sampled_from([CredentialKind.GPG_KEY, CredentialKind.CA_CERTIFICATE]),
                content=texts,
            ),
            max_size=3,
            unique_by=lambda credential: credential.label,
        )
    )
    gpg_keys = st.sampled_from([None, *(c.label for c in credentials if c.kind is CredentialKind.GPG_KEY)])
    products = draw(
        st.lists(
            st.builds(
                ManifestProduct,
                label=labels,
                name=names,
                kind=st.sampled_from(ProductKind),
                description=texts,
                gpg_key=gpg_keys,
            ),
            max_size=3,
            unique_by=lambda product: product.label.casefold(),
        )
    )
    repositories = draw(
        st.lists(
            _repositories(st.sampled_from([product.label for product in products]), gpg_keys),
            max_size=3,
            unique_by=(
                lambda repository: repository.path.casefold(),
                lambda repository: (repository.product, repository.label),
            ),
        )
        if products
        else st.just([])
    )
    sizes = draw(st.lists(st.integers(0, 2**50), min_size=1, max_size=3))
    count = draw(numbers)
    complete = kind is BundleKind.COMPLETE
    return Manifest(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        bundle=draw(
            st.builds(
                BundleIdentity,
                id=labels,
                kind=st.just(kind),
                created_at=times,
                destination=st.just("") | names,
                sequence=st.integers(1, MAX_NUMBER),
                base=st.none() if complete else st.dictionaries(texts, json_values, max_size=3),
            )
        ),
        source=draw(st.builds(BundleSource, box_id=labels, box_name=names, key_id=digests, software=names)),
        organization=draw(st.builds(ManifestOrganization, label=labels, name=names)),
        content_credentials=tuple(credentials),
        products=tuple(products),
        repositories=tuple(repositories),
        files=Totals(
            count=count,
            size=sum(sizes) + (0 if complete else 5),
            carried_count=count if complete else draw(st.integers(0, count)),
            carried_size=sum(sizes),
        ),
        table=TableReference(path=TABLE_NAME, size=draw(numbers), sha256=draw(digests)),
        volumes=tuple(Volume(number=number, size=size) for number, size in enumerate(sizes, start=1)),
        lifecycle_environments=draw(environments()),
    )


@st.composite
def _repositories(
    draw: st.DrawFn, products: st.SearchStrategy[str], gpg_keys: st.SearchStrategy[str | None]
) -> ManifestRepository:
    product, label = draw(products), draw(labels)
    release = draw(st.sampled_from([None, "9", "9.2"]))
    template = f"/custom/{product}/{label}" + ("" if release is None else "/$releasever")
    return ManifestRepository(
        product=product,
        label=label,
        name=draw(names),
        content=draw(
            st.builds(
                Content,
                id=labels,
                label=names,
                name=names,
                path=st.just(template),
                type=labels,
                arches=st.lists(labels, max_size=2).map(tuple),
                enabled=st.booleans(),
            )
        ),
        path=template.removeprefix("/").replace("$releasever", str(release)),
        version=draw(
            st.builds(
                ManifestVersion,
                number=st.integers(1, MAX_NUMBER),
                created_at=times,
                repomd_sha256=digests,
                packages=numbers,
            )
        ),
        files=draw(numbers),
        size=draw(numbers),
        variables={} if release is None else {"releasever": release},
        gpg_key=draw(gpg_keys),
    )
