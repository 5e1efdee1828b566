"""What issuing certificates costs beside bare signatures, and what a large path tree costs. Run by `make bench`.

The limit is the same number of signatures with the same key in the same threads, taken in turns with the work: a host's
certificate needs one signature, since path tree, payload and its signature are made once for all hosts with the same
content. A second limit is what the cryptography package's own builder makes of the same extensions, with nothing read
or written: where a signature costs less than what Python does around it, as with elliptic curves, no certificate comes
near the first one. Two things are measured: signing as a regeneration does it, and a whole regeneration of a box, with
its database and all that is revoked. Believe the ratios, not the seconds.
"""

import argparse
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from benchmarks.promotions import key_of, make_box
from issbox.certs.authority import Authority
from issbox.certs.entitlement import prepare_v3
from issbox.certs.keys import KeyKind, PrivateKey, new_serial
from issbox.model import (
    CertifiedContent,
    CertifiedProduct,
    EntitlementPayload,
    Held,
    Order,
    RegenerationScope,
    Subscription,
    Validity,
)
from issbox.names import format_size
from issbox.rules.entitlements.path_tree import build, grants
from issbox.rules.entitlements.path_tree_code import decode, encode
from issbox.store.certificates import CertificateBody
from issbox.workflows.certificates.authority import create_authority
from issbox.workflows.certificates.regenerating import run_regeneration, start_regeneration
from issbox.workflows.certificates.signing import Unsigned, sign_all
from issbox.workflows.context import Context
from issbox.workflows.parallel import CORES

AIM_OF_SIGNING = 0.85
CONTENTS = 200
"""In each certificate."""
ENVIRONMENTS = 20
"""Different sets of contents among the hosts."""
PATHS = 1000
_AT_ONCE = 50
_BYTES_SIGNED = 1100
"""Of such a certificate, path tree included."""


def main() -> int:
    """Measure and print."""
    arguments = parse(sys.argv[1:])
    for kind in (KeyKind(each) for each in arguments.key or (KeyKind.RSA_3072, KeyKind.EC_P256)):
        measure_issuing(kind, arguments.certificates, arguments.rounds)
    measure_path_tree(arguments.rounds)
    return 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--key", action="append", choices=[each.value for each in KeyKind], help="of the authority")
    parser.add_argument("--certificates", type=int, default=10_000, help="issued in all rounds together (10000)")
    parser.add_argument("--rounds", type=int, default=5, help="medians are of so many rounds (5)")
    return parser.parse_args(words)


def measure_issuing(kind: KeyKind, certificates: int, rounds: int) -> None:
    """Issue certificates to hosts that share a few sets of contents, beside as many signatures."""
    now = datetime.now(UTC)
    valid = Validity(now - timedelta(hours=1), now + timedelta(days=365))
    key = PrivateKey.generate(kind)
    authority = Authority.create_root(
        key, name="benchmark", valid=Validity(now - timedelta(hours=1), now + timedelta(days=3650)), serial=new_serial()
    )
    number = max(certificates // rounds, 1)
    hosts = [PrivateKey.generate(KeyKind.EC_P256).public.pem for _ in range(number)]
    started = time.perf_counter()
    unsigned = wanted(authority, hosts)
    print(f"{kind}: {ENVIRONMENTS} sets of contents prepared in {1000 * (time.perf_counter() - started):.0f} ms")
    serials = [new_serial() for _ in unsigned]
    (example,) = sign_all(authority, unsigned[:1], serials[:1], valid)
    built = builder_of(x509.load_pem_x509_certificate(example.pem.encode()), key)
    signing, building, issuing, regenerating = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="issbox-certificates-", dir="/var/tmp") as directory:
        box = box_with_hosts(Path(directory), kind, hosts)
        for _ in range(rounds):
            signing.append(spent(lambda _: key.sign(bytes(_BYTES_SIGNED)), number))
            building.append(spent(lambda _: built(), number))
            issuing.append(taken(lambda: sign_all(authority, unsigned, serials, valid)))
            regenerating.append(taken(lambda: regenerate(box, number)))
    shown = f"{format_size(len(example.pem))} with {CONTENTS} contents"
    print(f"{kind}: {rate(signing, number)} signatures/s in {CORES} threads; certificates of {shown}:")
    for name, costs in (("by the library's builder", building), ("signed", issuing), ("regenerated", regenerating)):
        aim = verdict(ratio(signing, costs)) if name == "signed" else ""
        cpu = median(one.cpu / other.cpu for one, other in zip(signing, costs, strict=True))
        print(
            f"  {name}: {rate(costs, number)}/s, {ratio(signing, costs):.2f} of signing{aim}, by processor time "
            f"{cpu:.2f}; {ratio(building, costs):.2f} of the builder",
            flush=True,
        )


def wanted(authority: Authority, hosts: Sequence[str]) -> list[Unsigned]:
    """Give certificates to be signed, one for each key of a host, as the database has it."""
    bodies = []
    for environment in range(ENVIRONMENTS):
        prepared = prepare_v3(payload_of(environment), authority)
        bodies.append(CertificateBody(str(environment), prepared.extensions, prepared.appendix))
    return [Unsigned("Acme", f"{index:032x}", key, bodies[index % len(bodies)]) for index, key in enumerate(hosts)]


def builder_of(like: x509.Certificate, key: PrivateKey) -> Callable[[], bytes]:
    """Give what makes a certificate such as this one by the cryptography package alone."""
    private = load_pem_private_key(key.pem().encode(), None)
    assert isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey)
    names = like.issuer, like.subject, like.public_key()
    dates = like.not_valid_before_utc, like.not_valid_after_utc
    extensions = [(each.value, each.critical) for each in like.extensions]

    def build_one() -> bytes:
        builder = x509.CertificateBuilder(*names, new_serial(), *dates)
        for value, critical in extensions:
            builder = builder.add_extension(value, critical=critical)
        return builder.sign(private, SHA256()).public_bytes(Encoding.PEM)

    return build_one


def box_with_hosts(directory: Path, kind: KeyKind, hosts: Sequence[str]) -> Context:
    """Make a box with an authority and hosts in one environment, where all contents are promoted."""
    made = make_box(directory, len(hosts), CONTENTS, hosts)
    certified = replace(made.settings.certificates, authority_key=kind.value)
    ctx = replace(made, settings=replace(made.settings, certificates=certified))
    create_authority(ctx, name="benchmark")
    held = [Held(key_of(each), 1) for each in range(CONTENTS)]
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.promotions.change("Acme", "dev", hold_=held, drop=[])
    return ctx


def regenerate(ctx: Context, hosts: int) -> None:
    """Issue the certificates of all hosts anew."""
    job = start_regeneration(ctx, RegenerationScope("Acme", unchanged=True))
    done = run_regeneration(ctx, job.id)
    assert (done.done, done.kept, done.failed) == (hosts, 0, 0), done.last_error


def verdict(share: float) -> str:
    """Say whether the aim is met."""
    return f" (aim {AIM_OF_SIGNING}): {'met' if share >= AIM_OF_SIGNING else 'MISSED'}"


def payload_of(number: int) -> EntitlementPayload:
    """Give the contents of one environment."""
    contents = tuple(
        CertifiedContent(
            str(each),
            f"rhel-9-tools-{each}-rpms",
            f"Tools {each} for RHEL 9 (RPMs)",
            f"/Acme/env{number}/content/dist/rhel9/$releasever/$basearch/tools-{each}/os",
            gpg_url="/Acme/keys/release",
        )
        for each in range(CONTENTS)
    )
    product = CertifiedProduct("479", "Red Hat Enterprise Linux", "9", ("x86_64",), content=contents)
    return EntitlementPayload(Subscription("Tools"), Order(), (product,))


@dataclass(frozen=True, slots=True)
class Spent:
    """What it took, in seconds."""

    wall: float
    cpu: float
    """Of all threads: other programs on the same cores do not count."""


def spent(work: Callable[[int], object], number: int) -> Spent:
    """Do something so many times in a few threads and give what it took."""

    def several(start: int) -> None:
        for index in range(start, min(start + _AT_ONCE, number)):
            work(index)

    with ThreadPoolExecutor(CORES) as pool:
        return taken(lambda: list(pool.map(several, range(0, number, _AT_ONCE))))


def taken(work: Callable[[], object]) -> Spent:
    """Do something once and give what it took."""
    started = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - started[0], time.process_time() - started[1])


def ratio(limit: Sequence[Spent], costs: Sequence[Spent]) -> float:
    """Give how near to a limit something came, by what both took in the same rounds."""
    return median(one.wall / other.wall for one, other in zip(limit, costs, strict=True))


def rate(costs: Sequence[Spent], number: int) -> str:
    """Give how many there were in a second."""
    return f"{number / median(each.wall for each in costs):.0f}"


def measure_path_tree(rounds: int) -> None:
    """Write, read and ask a tree of a thousand paths, beside zlib over the same paths."""
    paths = [
        f"/Acme/env{number % 3}/content/dist/rhel{number % 2 + 8}/$releasever/$basearch/tools-{number}/os"
        for number in range(PATHS)
    ]
    text = "\n".join(paths).encode()
    encoded = encode(build(paths))
    tree = decode(encoded)
    asked = "/Acme/env1/content/dist/rhel8/9.4/x86_64/tools-4/os/repodata/repomd.xml"
    steps: dict[str, Callable[[], object]] = {
        "zlib level 9": lambda: zlib.compress(text, 9),
        "build and encode": lambda: encode(build(paths)),
        "decode": lambda: decode(encoded),
        "ask 1,000 times": lambda: [grants(tree, asked) for _ in range(1000)],
    }
    print(f"path tree of {PATHS} paths: {len(encoded)} bytes, zlib makes {len(zlib.compress(text, 9))}")
    for name, step in steps.items():
        print(f"  {name}: {median(milliseconds(step) for _ in range(max(rounds, 3))):.1f} ms")


def milliseconds(step: Callable[[], object]) -> float:
    """Give how long something takes."""
    started = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        os.umask(0o022)
        sys.exit(main())
    sys.exit(130)
