"""Signatures, checked with the real gpg and rpmkeys against keys made here."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import createrepo_c
import pytest
from makers.repodata import DirectorySink, createrepo, write
from makers.upstream import Answer, Upstream

from issbox.errors import InvalidValueError, MissingToolError, RepositorySignatureError
from issbox.yum import gpg
from issbox.yum.mirror import MirrorResult

Fetch = Callable[..., MirrorResult]
FALSE_SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"
TOOLS = ("gpg", "gpgconf", "rpmsign", "rpmkeys")

pytestmark = pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}")


@dataclass(frozen=True)
class Signer:
    """Somebody with a GPG key."""

    home: Path
    public: str

    def environment(self) -> dict[str, str]:
        return os.environ | {"GNUPGHOME": str(self.home)}

    def sign(self, data: bytes) -> bytes:
        command = ["gpg", "--batch", "--no-tty", "--armor", "--detach-sign"]
        return subprocess.run(command, input=data, env=self.environment(), capture_output=True, check=True).stdout

    def sign_package(self, package: Path) -> None:
        program = shutil.which("gpg")
        definitions = [
            "--define",
            "_gpg_name tester",
            "--define",
            f"__gpg {program}",
            "--define",
            "_gpg_sign_cmd_extra_args --batch",
        ]
        subprocess.run(
            ["rpmsign", *definitions, "--addsign", package],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )


def make_signer(home: Path, expires: str = "never", faked: str | None = None) -> Signer:
    home.mkdir(mode=0o700)
    environment = os.environ | {"GNUPGHOME": str(home)}
    time = ["--faked-system-time", faked] if faked else []
    quick = ["--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "tester", "rsa2048", "sign", expires]
    subprocess.run(["gpg", "--batch", "--quiet", *time, *quick], env=environment, capture_output=True, check=True)
    done = subprocess.run(["gpg", "--armor", "--export"], env=environment, capture_output=True, check=True)
    return Signer(home, done.stdout.decode())


@pytest.fixture(scope="module")
def homes() -> Iterator[list[Path]]:
    """Homes of gpg, below a short path since its sockets allow no long one; their agents are ended afterwards."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="gpg-") as name:
        yield [Path(name)]
        for home in Path(name).iterdir():
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True, check=False)


@pytest.fixture(scope="module")
def signer(homes: list[Path]) -> Signer:
    return make_signer(homes[0] / "a")


@pytest.fixture(scope="module")
def stranger(homes: list[Path]) -> Signer:
    return make_signer(homes[0] / "b")


@pytest.fixture
def signed(upstream: Upstream, signer: Signer, packages: list[Path], tmp_path: Path) -> Path:
    """An upstream of signed packages with signed metadata."""
    copies = [Path(shutil.copy(package, tmp_path)) for package in packages]
    for package in copies:
        signer.sign_package(package)
    createrepo(upstream.root, copies, compression=createrepo_c.GZ)
    sign_repomd(upstream.root, signer)
    return upstream.root


def sign_repomd(root: Path, signer: Signer) -> None:
    write(root, "repodata/repomd.xml.asc", signer.sign((root / "repodata/repomd.xml").read_bytes()))


def test_a_signed_repository_is_accepted(
    signed: Path, signer: Signer, stranger: Signer, fetch: Fetch, sink: DirectorySink
) -> None:
    result = fetch(gpg_keys=(stranger.public, signer.public), check_packages=True)
    assert "repodata/repomd.xml.asc" in {file.path for file in result.files}
    assert result.packages == 3


def test_a_signature_by_another_key_is_refused(signed: Path, stranger: Signer, fetch: Fetch) -> None:
    with pytest.raises(RepositorySignatureError, match=r"repomd\.xml is not accepted .*another key"):
        fetch(gpg_keys=(stranger.public,))


def test_changed_metadata_is_refused(signed: Path, signer: Signer, fetch: Fetch) -> None:
    with (signed / "repodata/repomd.xml").open("ab") as out:
        out.write(b"\n")
    with pytest.raises(RepositorySignatureError, match="does not belong to these bytes"):
        fetch(gpg_keys=(signer.public,))


def test_a_missing_signature_is_refused(signed: Path, signer: Signer, fetch: Fetch) -> None:
    (signed / "repodata/repomd.xml.asc").unlink()
    with pytest.raises(RepositorySignatureError, match="is not signed") as caught:
        fetch(gpg_keys=(signer.public,))
    assert "`issbox repository update --no-check-metadata --check-packages`" in caught.value.hint
    assert fetch().packages == 3


def test_an_upstream_that_signs_only_its_packages(
    signed: Path, signer: Signer, stranger: Signer, packages: list[Path], fetch: Fetch
) -> None:
    (signed / "repodata/repomd.xml.asc").unlink()
    assert fetch(gpg_keys=(signer.public,), check_metadata=False, check_packages=True).packages == 3
    with pytest.raises(RepositorySignatureError, match=r"\.rpm is not accepted: it is signed by another"):
        fetch(gpg_keys=(stranger.public,), check_metadata=False, check_packages=True)
    createrepo(signed, packages, compression=createrepo_c.GZ)
    with pytest.raises(RepositorySignatureError, match=r"\.rpm is not accepted: it is not signed"):
        fetch(gpg_keys=(signer.public,), check_metadata=False, check_packages=True)


def test_a_signature_that_nobody_asks_for_is_carried_along(signed: Path, fetch: Fetch) -> None:
    write(signed, "repodata/repomd.xml.asc", FALSE_SIGNATURE)
    result = fetch(gpg_keys=("not a key, and not looked at",), check_metadata=False)
    assert result.packages == 3
    assert "repodata/repomd.xml.asc" in {file.path for file in result.files}


def test_a_signature_that_is_none_is_refused(signed: Path, signer: Signer, fetch: Fetch) -> None:
    for content in (
        b"",
        b"<html>not found</html>",
        b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n",
    ):
        write(signed, "repodata/repomd.xml.asc", content)
        with pytest.raises(RepositorySignatureError, match="not accepted"):
            fetch(gpg_keys=(signer.public,))


def test_an_expired_key_is_named(homes: list[Path]) -> None:
    old = make_signer(homes[0] / "c", expires="1d", faked="20200101T000000!")
    command = ["gpg", "--batch", "--no-tty", "--faked-system-time", "20200101T010000!", "--armor", "--detach-sign"]
    done = subprocess.run(command, input=b"data", env=old.environment(), capture_output=True, check=True)
    with pytest.raises(RepositorySignatureError, match="the key that made it has expired"):
        gpg.verify_detached([old.public], b"data", done.stdout, name="data")


def test_a_signature_is_fetched_again_when_upstream_was_publishing(
    signed: Path, signer: Signer, upstream: Upstream, fetch: Fetch
) -> None:
    stale = (signed / "repodata/repomd.xml").read_bytes() + b"\n"
    upstream.script["repodata/repomd.xml"] = [Answer(body=stale)]
    assert fetch(gpg_keys=(signer.public,)).packages == 3


def test_an_unsigned_package_is_named(signed: Path, signer: Signer, packages: list[Path], fetch: Fetch) -> None:
    createrepo(signed, packages, compression=createrepo_c.GZ)
    sign_repomd(signed, signer)
    assert fetch(gpg_keys=(signer.public,)).packages == 3
    with pytest.raises(RepositorySignatureError, match=r"gap-almanac.*\.rpm is not accepted: it is not signed"):
        fetch(gpg_keys=(signer.public,), check_packages=True)


def test_a_package_signed_by_another_key_is_named(
    signed: Path, signer: Signer, stranger: Signer, upstream: Upstream, fetch: Fetch
) -> None:
    sign_repomd(signed, stranger)
    with pytest.raises(RepositorySignatureError, match=r"gap-almanac.*\.rpm is not accepted: it is signed by another"):
        fetch(gpg_keys=(stranger.public,), check_packages=True)


def test_a_package_damaged_before_it_was_listed_is_named(
    signed: Path, signer: Signer, packages: list[Path], tmp_path: Path
) -> None:
    (package,) = signed.rglob("gap-greeting*.rpm")
    data = bytearray(package.read_bytes())
    data[-100] ^= 1
    package.write_bytes(data)
    with pytest.raises(RepositorySignatureError, match=r"odd name: is not accepted: rpm says .*BAD"):
        gpg.check_packages([signer.public], [("odd name:", package)])
    package.write_bytes(b"not a package")
    with pytest.raises(RepositorySignatureError, match="rpm cannot read it"):
        gpg.check_packages([signer.public], [("a.rpm", package)])


def test_more_packages_than_one_call_takes(signed: Path, signer: Signer, packages: list[Path]) -> None:
    (good,) = signed.rglob("gap-greeting*.rpm")
    named = [(f"good-{number}", good) for number in range(150)]
    gpg.check_packages([signer.public], named)
    with pytest.raises(RepositorySignatureError, match="the package bad is"):
        gpg.check_packages([signer.public], [*named, ("bad", packages[0])])


def test_a_key_that_is_none_is_said(signed: Path, fetch: Fetch) -> None:
    with pytest.raises(InvalidValueError, match="GPG key"):
        fetch(gpg_keys=("not a key",))
    with pytest.raises(InvalidValueError, match="no GPG key"):
        fetch(check_packages=True)


@pytest.fixture
def limited_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with links to the two tools, which is all of PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in ("gpg", "rpmkeys"):
        (directory / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(directory))
    return directory


@pytest.mark.parametrize(("tool", "package"), [("gpg", "gnupg2"), ("rpmkeys", "rpm")])
@pytest.mark.usefixtures("signed")  # before PATH is limited
def test_a_missing_tool_names_its_package(
    tool: str, package: str, signer: Signer, fetch: Fetch, limited_path: Path
) -> None:
    (limited_path / tool).unlink()
    with pytest.raises(MissingToolError, match=rf"{tool} is needed.*{package}"):
        fetch(gpg_keys=(signer.public,), check_packages=True)
