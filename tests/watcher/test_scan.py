"""What a look at real directories finds."""

import os
import socket
from pathlib import Path

import pytest
from makers.bundles import make_bundle, new_key

from issbox.bundle.signature import SigningKey
from issbox.watcher.places import is_ignored
from issbox.watcher.scan import Candidate, look

LIMIT = 1000


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


def look_at(inbox: Path, *organizations: str) -> dict[str, Candidate]:
    return {str(each.path.relative_to(inbox)): each for each in look(inbox, organizations, LIMIT).candidates}


def make_something(*parts: Path) -> None:
    """Make directories that are not empty."""
    for path in parts:
        path.mkdir(parents=True)
        (path / "something").write_bytes(b"x")


def only(inbox: Path) -> Candidate:
    (candidate,) = look(inbox, (), LIMIT).candidates
    return candidate


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        "a.part",
        "a.partial",
        "a.tmp",
        "a.crdownload",
        "a.filepart",
        "lost+found",
        "System Volume Information",
    ],
)
def test_what_is_none_of_ours_is_ignored(tmp_path: Path, name: str) -> None:
    make_something(tmp_path / name, tmp_path / "bundle")
    assert is_ignored(name)
    assert list(look_at(tmp_path)) == ["bundle"]


def test_a_directory_that_holds_nothing_yet_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "discs" / "first").mkdir(parents=True)
    (tmp_path / "discs" / "second").mkdir()
    (tmp_path / "copying").mkdir()
    (tmp_path / "copying" / "one.iso.part").write_bytes(b"x")
    assert look_at(tmp_path) == {}
    (tmp_path / "discs" / "second" / "notes.txt").write_bytes(b"x")
    (tmp_path / "empty" / "link").symlink_to("nowhere")
    assert list(look_at(tmp_path)) == ["discs", "empty"]


def test_everything_else_at_the_top_is_a_candidate(tmp_path: Path) -> None:
    (tmp_path / "file.iso").write_bytes(b"x")
    make_something(tmp_path / "directory")
    (tmp_path / "link").symlink_to("directory")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        found = look_at(tmp_path)
    assert sorted(found) == ["directory", "file.iso", "link", "pipe", "socket"]
    # A file may still grow; a link or a pipe is what it is.
    assert {name: each.complete for name, each in found.items()} == {
        "directory": False,
        "file.iso": False,
        "link": True,
        "pipe": True,
        "socket": True,
    }


def test_a_folder_named_after_an_organization_holds_candidates_for_it(tmp_path: Path) -> None:
    make_something(tmp_path / "acme" / "one", tmp_path / "acme" / ".ignored", tmp_path / "other" / "two")
    found = look_at(tmp_path, "acme")
    assert {name: each.organization for name, each in found.items()} == {"acme/one": "acme", "other": None}


@pytest.mark.parametrize("name", ["one.toc.json", "one.tgz.001", "disc-1.iso"])
def test_a_medium_copied_as_a_whole_is_a_folder_of_folders(tmp_path: Path, name: str) -> None:
    for folder in ("usb/base-0001", "usb/notes", "acme/usb/base-0002", "a/b/c/d"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_bytes(b"x")
    (tmp_path / "usb/notes" / name).rename(tmp_path / "usb/notes/read me.txt")
    found = look_at(tmp_path, "acme")
    assert {path: each.organization for path, each in found.items()} == {
        f"usb/base-0001/{name}": None,
        "usb/notes": None,
        f"acme/usb/base-0002/{name}": "acme",
        "a": None,
    }, "a/b/c/d is too deep to be looked for"


def test_an_image_that_a_yum_repository_holds_is_no_bundle(tmp_path: Path) -> None:
    for name in ("repodata/repomd.xml", "images/boot.iso"):
        (tmp_path / "rhel" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rhel" / name).write_bytes(b"x")
    assert list(look_at(tmp_path)) == ["rhel"]


def test_files_of_one_name_in_folders_of_two_organizations_are_two_sets(tmp_path: Path) -> None:
    for folder in ("acme", "acme/disc two", "other", ".", "disc one"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for number, folder in enumerate(("acme", "acme/disc two", "other", ".", "disc one"), start=1):
        (tmp_path / folder / f"set.tgz.00{number}").write_bytes(b"x")
    found = look(tmp_path, ("acme", "other"), LIMIT).candidates
    assert {each.organization: {path.name[-1] for path in each.members} for each in found} == {
        "acme": {"1", "2"},
        "other": {"3"},
        None: {"4", "5"},
    }


def test_a_bundle_named_like_an_organization_is_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "issbox-bundle.json").write_text("{}")
    assert look_at(tmp_path, "acme")["acme"].organization is None


def test_a_link_named_like_an_organization_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "one").mkdir(parents=True)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "acme").symlink_to(tmp_path / "elsewhere")
    assert list(look_at(inbox, "acme")) == ["acme"]


def test_a_whole_bundle_looks_complete(tmp_path: Path, key: SigningKey) -> None:
    make_bundle(tmp_path, key)
    candidate = only(tmp_path)
    assert candidate.complete
    assert candidate.words.startswith(f"{candidate.files} of {candidate.files} files, ")


@pytest.mark.parametrize(
    "missing", ["issbox-bundle.json", "issbox-bundle.json.sig", "issbox-files.jsonl", "metadata.json"]
)
def test_a_bundle_without_one_of_its_files_is_incomplete(tmp_path: Path, key: SigningKey, missing: str) -> None:
    bundle = make_bundle(tmp_path, key)
    (bundle / missing).unlink()
    candidate = only(tmp_path)
    assert not candidate.complete
    if missing == "metadata.json":
        assert candidate.words.startswith(f"{candidate.files} of {candidate.files + 1} files")
    else:
        assert missing in candidate.words


def test_a_cut_file_makes_it_incomplete(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    os.truncate(bundle / "metadata.json", 3)
    assert not only(tmp_path).complete


def test_a_cut_table_makes_it_incomplete(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    os.truncate(bundle / "issbox-files.jsonl", 3)
    assert "issbox-files.jsonl is not whole" in only(tmp_path).words


def test_a_file_too_many_is_complete_and_for_the_check_to_refuse(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    (bundle / "extra").write_bytes(b"who put this here")
    assert only(tmp_path).complete


@pytest.mark.parametrize("name", ["bell.rpm.part", ".bell-1.0-1.noarch.rpm.Xy12Zq"])
def test_an_unfinished_transfer_inside_keeps_it_incomplete(tmp_path: Path, key: SigningKey, name: str) -> None:
    bundle = make_bundle(tmp_path, key)
    (bundle / name).write_bytes(b"half")
    assert not only(tmp_path).complete


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"{",
        b"[1]",
        b"\xff\xfe",
        b'{"files": 3}',
        b'{"files": {"carried_count": "many"}}',
        b'{"files": {"carried_count": -5, "carried_size": 1}}',
        b'{"files": {"carried_count": 1e400}}',
        b"[" * 100_000,
        b'{"files": {"carried_count": 99999999999999999999999999, "carried_size": 1}}',
        b'{"files": {"carried_count": 1, "carried_size": 1' + b"0" * 400 + b"}}",
    ],
)
def test_a_manifest_that_makes_no_sense_is_only_no_hint(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "issbox-bundle.json").write_bytes(manifest)
    candidate = only(tmp_path)
    assert not candidate.complete
    assert "no readable issbox-bundle.json" in candidate.words


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_a_manifest_that_is_no_file_is_not_opened(tmp_path: Path, key: SigningKey, kind: str) -> None:
    (tmp_path / "inbox").mkdir()
    bundle = make_bundle(tmp_path / "inbox", key)
    manifest = bundle / "issbox-bundle.json"
    manifest.rename(tmp_path / "manifest")
    if kind == "link":
        manifest.symlink_to(tmp_path / "manifest")
    elif kind == "pipe":
        os.mkfifo(manifest)
    else:
        manifest.mkdir()
    assert not only(tmp_path / "inbox").complete


def test_a_crowd_is_counted_only_so_far(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    for number in range(1100):
        (tmp_path / "bundle" / str(number)).touch()
    (candidate,) = look(tmp_path, (), 10).candidates
    assert candidate.complete
    assert candidate.files <= 2 * 10 + 1000
    assert "more than" in candidate.words


def test_a_name_that_is_not_text_is_told_apart(tmp_path: Path) -> None:
    make_something(tmp_path / os.fsdecode(b"bad\xff"), tmp_path / "good")
    findings = look(tmp_path, (), LIMIT)
    assert [each.path.name for each in findings.candidates] == ["good"]
    assert len(findings.nameless) == 1


def test_a_missing_inbox_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        look(tmp_path / "missing", (), LIMIT)


class TestFingerprint:
    @pytest.fixture
    def bundle(self, tmp_path: Path) -> Path:
        bundle = tmp_path / "bundle"
        (bundle / "inner").mkdir(parents=True)
        (bundle / "inner" / "file").write_bytes(b"12345")
        os.utime(bundle / "inner" / "file", ns=(10**18, 10**18))
        (bundle / "newer").write_bytes(b"")
        return bundle

    def fingerprint(self, bundle: Path) -> str:
        return only(bundle.parent).fingerprint

    def test_it_stays_the_same_when_nothing_happens(self, bundle: Path) -> None:
        before = self.fingerprint(bundle)
        (bundle / "inner" / "file").read_bytes()
        assert self.fingerprint(bundle) == before

    def test_it_survives_a_move(self, bundle: Path, tmp_path: Path) -> None:
        before = self.fingerprint(bundle)
        (tmp_path / "deeper").mkdir()
        moved = bundle.rename(tmp_path / "deeper" / "other name")
        assert self.fingerprint(moved) == before

    def test_growing_changes_it(self, bundle: Path) -> None:
        before = self.fingerprint(bundle)
        with (bundle / "inner" / "file").open("ab") as file:
            file.write(b"6")
        assert self.fingerprint(bundle) != before

    def test_a_file_replaced_by_one_with_the_same_size_and_an_old_time_changes_it(self, bundle: Path) -> None:
        before = self.fingerprint(bundle)
        (bundle / "inner" / "file").write_bytes(b"54321")
        os.utime(bundle / "inner" / "file", ns=(10**18 - 5, 10**18 - 5))
        assert self.fingerprint(bundle) != before

    def test_renaming_inside_changes_it(self, bundle: Path) -> None:
        before = self.fingerprint(bundle)
        (bundle / "newer").rename(bundle / "renamed")
        assert self.fingerprint(bundle) != before

    def test_a_single_file_rewritten_with_the_same_size_changes_it(self, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"1234")
        before = only(tmp_path).fingerprint
        file.write_bytes(b"4321")
        os.utime(file, ns=(5, 5))
        assert only(tmp_path).fingerprint != before


def test_both_halves_of_a_fingerprint_tell_entries_apart(tmp_path: Path) -> None:
    marks = []
    for number in range(8):
        file = tmp_path / f"file-{number}"
        file.write_bytes(b"same size")
        os.utime(file, ns=(1_700_000_000_000_000_000 + number,) * 2)
        mark = int(only(tmp_path).fingerprint.rpartition(":")[2], 16)
        marks.append((mark >> 32, mark & 0xFFFFFFFF))
        file.unlink()
    assert len({upper ^ lower for upper, lower in marks}) == 8
