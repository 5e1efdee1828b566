"""Commands that come in over SSH: text in, words or a refusal out, whatever the text."""

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.stores import NOW

from issbox.errors import InvalidValueError, RemoteRefusedError
from issbox.model import SshKey, UserSshKey
from issbox.rules.people.authorized_keys import authorized_line
from issbox.rules.people.remote import LONGEST, split_command, value_problem
from issbox.rules.people.ssh_keys import parse_ssh_key

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr"


def test_a_leading_program_name_may_be_left_out() -> None:
    assert split_command("issbox status --json") == split_command("status --json") == ["status", "--json"]
    assert split_command('product create --name "A b"') == ["product", "create", "--name", "A b"]


@pytest.mark.parametrize("text", ["status\nid", "status\x00", "\x1b[2J", "'open", "status " + "x" * LONGEST])
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(RemoteRefusedError):
        split_command(text)


@given(st.text(max_size=200))
def test_any_text_gives_words_or_a_refusal(text: str) -> None:
    try:
        words = split_command(text)
    except RemoteRefusedError:
        return
    assert all(isinstance(word, str) and word.isprintable() for word in words)


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20), max_size=6))
def test_quoted_words_come_back(words: list[str]) -> None:
    assert split_command(shlex.join(["issbox", *words])) == words


@pytest.mark.parametrize("metavar", ["LABEL", "[ID]", "NAME", "TEXT", "SIZE"])
def test_plain_values_pass(metavar: str) -> None:
    assert value_problem(metavar, "/etc/passwd") is None


@pytest.mark.parametrize("metavar", ["FILE", "PATH", "DIR", "FILE|TEXT", "FILE|TEXT|ID", "PROGRAM", "ANYTHING NEW"])
def test_files_and_what_is_unknown_do_not(metavar: str) -> None:
    for value in ("/etc/passwd", "name", "", ".", "--"):
        assert value_problem(metavar, value) is not None
    assert value_problem(metavar, "-") is None


def test_numbers_of_receipts_and_addresses_of_the_web_pass() -> None:
    assert value_problem("FILE|TEXT|ID", "12") is None
    assert value_problem("FILE|TEXT", "12") is not None
    assert value_problem("URL", "https://cdn.example.com") is None
    assert value_problem("URL", "") is None
    for address in ("file:///etc", "FILE:/etc", "/etc", "ftp://x", "http:/etc"):
        assert value_problem("URL", address) is not None


def line(*session: str) -> str:
    return authorized_line(UserSshKey("ann", SshKey("ssh-ed25519", KEY, "a b", "SHA256:x"), NOW), session)


def test_a_line_restricts_the_key_to_one_command() -> None:
    assert line("/usr/bin/issbox", "ssh", "session") == (
        f'restrict,pty,command="/usr/bin/issbox ssh session --user ann" ssh-ed25519 {KEY} ann'
    )


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_no_word_ends_the_command_or_the_line(word: str) -> None:
    try:
        made = line("/usr/bin/issbox", word)
    except InvalidValueError:
        return
    assert len(made.splitlines()) == 1
    command, end = made.removeprefix('restrict,pty,command="').rsplit('" ', 1)
    assert shlex.split(command.replace('\\"', '"')) == ["/usr/bin/issbox", word, "--user", "ann"]
    assert parse_ssh_key(end).type == "ssh-ed25519"


def test_a_shell_reads_the_command_as_it_was_meant() -> None:
    command = line("printf", "%s|", 'a "b" $c `d`').removeprefix('restrict,pty,command="').rsplit('" ', 1)[0]
    done = subprocess.run(["sh", "-c", command.replace('\\"', '"')], capture_output=True, text=True, check=True)
    assert done.stdout == 'a "b" $c `d`|--user|ann|'
