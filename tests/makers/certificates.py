"""Authorities, keys and random entitlements for tests; keys are made once, since RSA takes its time."""

import random
from datetime import UTC, datetime, timedelta

from cryptography import x509
from hypothesis import strategies as st

from issbox.certs.authority import Authority
from issbox.certs.certificates import read_certificates
from issbox.certs.entitlement import issue_entitlement, prepare_v3
from issbox.certs.keys import KeyKind, PrivateKey, new_serial
from issbox.model import CertifiedContent, CertifiedProduct, EntitlementPayload, Order, Subscription, Validity
from issbox.rules.entitlements.paths import content_path
from makers.path_strategies import content_paths

NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = Validity(NOW - timedelta(hours=1), NOW + timedelta(days=365))
TEN_YEARS = Validity(NOW - timedelta(hours=1), NOW + timedelta(days=3650))
CONSUMER = "4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11"
KINDS = (KeyKind.RSA_3072, KeyKind.EC_P256)

texts = st.text(st.characters(exclude_categories=["C"]), max_size=12)
words = st.text("abcXYZ019_-", min_size=1, max_size=8)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
times = st.integers(0, 200_000_000_000).map(lambda seconds: _EPOCH + timedelta(seconds=seconds))
numbers = st.integers(0, 2**40)


_keys: dict[tuple[KeyKind, int], PrivateKey] = {}
_authorities: dict[tuple[KeyKind, int], Authority] = {}


def key_of(kind: KeyKind, number: int = 0) -> PrivateKey:
    """Give the key of this kind and number, the same one each time."""
    if (kind, number) not in _keys:
        _keys[kind, number] = PrivateKey.generate(kind)
    return _keys[kind, number]


def authority_of(kind: KeyKind = KeyKind.EC_P256, number: int = 0) -> Authority:
    """Give the root whose key has this kind and number, the same one each time."""
    if (kind, number) not in _authorities:
        _authorities[kind, number] = Authority.create_root(
            key_of(kind, number), name=f"test root {kind} {number}", valid=TEN_YEARS, serial=new_serial()
        )
    return _authorities[kind, number]


def certificate_of(authority: Authority) -> x509.Certificate:
    return read_certificates(authority.chain_pem, "the authority")[0]


def payload_of(paths: list[str], **fields: object) -> EntitlementPayload:
    """Give the payload of one product with a content for each of these full paths."""
    contents = tuple(
        CertifiedContent(str(number), f"content-{number}", f"Content {number}", path)
        for number, path in enumerate(paths, start=1)
    )
    product = CertifiedProduct("69", "Tools", "9", ("x86_64",), content=contents)
    return EntitlementPayload(Subscription("Tools"), Order(), (product,), **fields)  # type: ignore[arg-type] # by name


def entitle(paths: list[str], authority: Authority | None = None, serial: int | None = None) -> str:
    """Issue a version 3 certificate for these full paths."""
    signer = authority or authority_of()
    return issue_entitlement(
        signer,
        prepare_v3(payload_of(paths), signer),
        organization="Acme",
        entitlement="0" * 32,
        public=key_of(KeyKind.EC_P256, 9).public,
        valid=YEAR,
        serial=serial or new_serial(),
    )


def some_paths(choice: random.Random, most: int) -> list[str]:
    """Give random full paths that look like those of a content server, some below others."""
    found = []
    for _ in range(choice.randint(0, most)):
        segments = [choice.choice(["content", "custom", "dist", "beta"])]
        segments += [choice.choice(["rhel", "tools", "a", "b", "server", "os-x"]) for _ in range(choice.randint(0, 3))]
        segments += choice.choice([[], ["$releasever"], ["$releasever", "$basearch"], ["9", "x86_64"]])
        segments += choice.choice([[], ["os"], ["debug"], ["source", "SRPMS"]])
        found.append("/Acme/dev/" + "/".join(segments))
    return found


full_paths = content_paths.map(lambda path: content_path(path, organization="Acme"))
contents = st.builds(
    CertifiedContent,
    id=st.integers(1, 10**9).map(str) | st.uuids().map(str),
    label=words,
    name=texts,
    path=full_paths,
    type=st.sampled_from(["yum", "file", "kickstart", "deb"]),
    vendor=texts,
    gpg_url=texts,
    enabled=st.booleans(),
    metadata_expire=st.none() | numbers,
    required_tags=st.lists(words, max_size=3).map(tuple),
    arches=st.lists(words, max_size=3).map(tuple),
)
products = st.builds(
    CertifiedProduct,
    id=st.integers(1, 10**6).map(str),
    name=texts,
    version=texts,
    architectures=st.lists(words, max_size=3).map(tuple),
    brand_type=texts,
    brand_name=texts,
    content=st.lists(contents, max_size=4, unique_by=lambda each: each.id).map(tuple),
)
payloads = st.builds(
    EntitlementPayload,
    subscription=st.builds(
        Subscription,
        name=texts,
        sku=texts,
        warning=st.integers(0, 90),
        sockets=st.none() | numbers,
        ram=st.none() | numbers,
        cores=st.none() | numbers,
        management=st.booleans(),
        stacking_id=texts,
        virt_only=st.booleans(),
        service_level=texts,
        service_type=texts,
        usage=texts,
        roles=st.lists(texts, max_size=2).map(tuple),
        addons=st.lists(texts, max_size=2).map(tuple),
    ),
    order=st.builds(
        Order,
        number=texts,
        quantity=st.none() | numbers,
        start=st.none() | times,
        end=st.none() | times,
        contract=texts,
        account=texts,
    ),
    products=st.lists(products, max_size=3, unique_by=lambda each: each.id).map(tuple),
    consumer=st.none() | st.uuids().map(str),
    quantity=st.none() | numbers,
    pool=st.none() | words,
)
