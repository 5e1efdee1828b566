"""What issuing certificates costs beside bare signatures, and what a large path tree costs. Run by `make bench`.

The limit is the same number of signatures with the same key in the same threads, taken in turns with the work: a host's
certificate needs one signature, since path tree, payload and its signature are made once for all hosts with the same
content. Believe the ratios, not the seconds.
"""

import argparse
import os
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from issbox.certs.authority import Authority
from issbox.certs.entitlement import PreparedEntitlement, issue_entitlement, prepare_v3
from issbox.certs.keys import KeyKind, PrivateKey, PublicKey, new_serial
from issbox.model import CertifiedContent, CertifiedProduct, EntitlementPayload, Order, Subscription, Validity
from issbox.names import format_size
from issbox.rules.path_tree import build, grants
from issbox.rules.path_tree_code import decode, encode

THREADS = 2
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
    started = time.perf_counter()
    prepared = [prepare_v3(payload_of(number), authority) for number in range(ENVIRONMENTS)]
    preparing = time.perf_counter() - started
    hosts = [PrivateKey.generate(KeyKind.RSA_2048).public.pem for _ in range(4)]
    number = max(certificates // rounds, 1)
    signing, issuing = [], []
    for _ in range(rounds):
        signing.append(spent(lambda _: key.sign(bytes(_BYTES_SIGNED)), number))
        issuing.append(spent(lambda index: issue(authority, prepared, hosts, valid, index), number))
    size = len(issue(authority, prepared, hosts, valid, 0))
    ratio = median(one.wall / other.wall for one, other in zip(signing, issuing, strict=True))
    cpu = median(one.cpu / other.cpu for one, other in zip(signing, issuing, strict=True))
    rates = [number / median(each.wall for each in found) for found in (signing, issuing)]
    print(
        f"{kind}: {rates[0]:.0f} signatures/s, {rates[1]:.0f} certificates/s of {format_size(size)} with {CONTENTS} "
        f"contents in {THREADS} threads: {ratio:.2f} of signing{verdict(kind, ratio)}; by processor time {cpu:.2f}"
    )
    print(f"{kind}: {ENVIRONMENTS} sets of contents prepared in {1000 * preparing:.0f} ms", flush=True)


def verdict(kind: KeyKind, ratio: float) -> str:
    """Say whether the aim is met; EC signatures cost less than anything that Python does around them, so have none."""
    if kind is KeyKind.EC_P256:
        return ""
    return f" (aim {AIM_OF_SIGNING}): {'met' if ratio >= AIM_OF_SIGNING else 'MISSED'}"


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


def issue(
    authority: Authority, prepared: Sequence[PreparedEntitlement], hosts: Sequence[str], valid: Validity, index: int
) -> str:
    """Issue one certificate as a regeneration does: the host's public key comes from the database as PEM."""
    return issue_entitlement(
        authority,
        prepared[index % len(prepared)],
        organization="Acme",
        entitlement=f"{index:032x}",
        public=PublicKey.from_pem(hosts[index % len(hosts)]),
        valid=valid,
        serial=new_serial(),
    )


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

    with ThreadPoolExecutor(THREADS) as pool:
        started = time.perf_counter(), time.process_time()
        list(pool.map(several, range(0, number, _AT_ONCE)))
        return Spent(time.perf_counter() - started[0], time.process_time() - started[1])


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
