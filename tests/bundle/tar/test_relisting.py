"""Which chunks have to be sent again."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.bundles import flip_byte, new_key
from makers.tar_streams import write_set

from issbox.bundle.signature import SigningKey
from issbox.bundle.tar.relisting import examine, locate, relist
from issbox.bundle.tar.toc import new_toc
from issbox.bundle.tar.toc_checks import Chunk, Compression
from issbox.files import Digest

STATES = ("whole", "missing", "wrong size", "damaged", "unreadable")
toc = new_toc(
    "b",
    "0" * 64,
    Compression.NONE,
    tuple(Chunk(name=f"set.tar.{number:03d}", size=10, sha256=f"{number}" * 64) for number in range(1, 7)),
)


@given(st.lists(st.sampled_from(STATES), min_size=6, max_size=6))
def test_each_chunk_is_in_the_list_it_belongs_into(states: list[str]) -> None:
    found: dict[str, Digest | None] = {"other": Digest(1, "x")}
    for chunk, state in zip(toc.chunks, states, strict=True):
        if state == "unreadable":
            found[chunk.name] = None
        elif state != "missing":
            size = 11 if state == "wrong size" else 10
            found[chunk.name] = Digest(size, "a" * 64 if state == "damaged" else chunk.sha256)
    listed = relist(toc, found)

    def those(*wanted: str) -> tuple[Chunk, ...]:
        return tuple(chunk for chunk, state in zip(toc.chunks, states, strict=True) if state in wanted)

    assert listed.missing == those("missing")
    assert listed.wrong_size == those("wrong size")
    assert listed.damaged == those("damaged", "unreadable")
    assert listed.wanted == {chunk.name for chunk in those(*STATES[1:])}


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_chunks_are_read_where_they_lie(choose: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        parent = Path(scratch)
        written = write_set(parent, new_key(), chunk_size=2000)
        states = [choose.draw(st.sampled_from(STATES)) for _ in written.chunks]
        for chunk, state in zip(written.chunks, states, strict=True):
            path = parent / chunk.name
            if state == "missing":
                path.unlink()
            elif state == "wrong size":
                os.truncate(path, choose.draw(st.integers(0, chunk.size - 1)))
            elif state == "damaged":
                flip_byte(path, choose.draw(st.integers(0, chunk.size - 1)))
            elif state == "unreadable":
                path.unlink()
                path.symlink_to("nowhere")
        listed = examine(written, locate(written, [parent]))
        named = {
            chunk.name: state
            for group, state in ((listed.missing, "missing"), (listed.wrong_size, "wrong size"))
            for chunk in group
        } | {chunk.name: "damaged" for chunk in listed.damaged}
        expected = {
            chunk.name: "damaged" if state == "unreadable" else state
            for chunk, state in zip(written.chunks, states, strict=True)
            if state != "whole"
        }
        assert named == expected


def test_chunks_are_found_in_several_folders(tmp_path: Path, key: SigningKey) -> None:
    folders = [tmp_path / "one", tmp_path / "two", tmp_path / "gone"]
    for folder in folders[:2]:
        folder.mkdir()
    written = write_set(folders[0], key, chunk_size=1000)
    first, second, third = written.chunks[:3]
    (folders[0] / first.name).rename(folders[1] / first.name)
    (folders[1] / second.name).write_bytes((folders[0] / second.name).read_bytes())
    os.truncate(folders[0] / second.name, 3)
    os.truncate(folders[0] / third.name, 3)
    found = locate(written, folders)
    assert found[first.name].parent == folders[1]
    assert found[second.name].parent == folders[1]
    assert found[third.name].parent == folders[0]
    assert locate(written, [folders[1]]).keys() == {first.name, second.name}
    seen: list[int] = []
    assert examine(written, found, seen.append).wanted == {third.name}
    assert sum(seen) == written.size - third.size + 3


def test_chunks_that_are_only_listed_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(Chunk(name=f"x.tar.{number:03d}", size=1, sha256="0" * 64) for number in range(1, 500))
    toc = new_toc("x", "0" * 64, Compression.NONE, many)
    (tmp_path / "x.tar.007").write_bytes(b"x")
    looked: list[Path] = []
    real = Path.lstat

    def counting(path: Path) -> os.stat_result:
        looked.append(path)
        return real(path)

    def never(path: Path) -> bool:
        raise AssertionError(path)

    monkeypatch.setattr(Path, "lstat", counting)
    monkeypatch.setattr(os.path, "lexists", never)
    assert locate(toc, [tmp_path, tmp_path / "absent"]) == {"x.tar.007": tmp_path / "x.tar.007"}
    assert len(looked) == 1


def test_one_that_went_away_since_is_missing(tmp_path: Path, key: SigningKey) -> None:
    written = write_set(tmp_path, key, chunk_size=1000)
    found = locate(written, [tmp_path])
    (tmp_path / written.chunks[1].name).unlink()
    assert examine(written, found).missing == (written.chunks[1],)
