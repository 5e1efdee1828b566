"""URLs of other boxes, and the command line that reaches them: nothing in them is taken for something else."""

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.rules.people.ssh_targets import SshTarget, check_ssh_option, is_harmless, parse_ssh_target, ssh_command


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("ssh://far", SshTarget("far")),
        ("ssh://Far.example.com/", SshTarget("Far.example.com")),
        ("ssh://issbox@192.0.2.7:2222/", SshTarget("192.0.2.7", "issbox", 2222)),
        ("ssh://issbox@[2001:db8::7]:22/", SshTarget("2001:db8::7", "issbox", 22)),
        ("ssh://ann@corp@far/", SshTarget("far", "ann@corp")),
    ],
)
def test_where_a_box_is(url: str, target: SshTarget) -> None:
    assert parse_ssh_target(url) == target
    assert parse_ssh_target(str(target)) == target


@pytest.mark.parametrize(
    "url",
    [
        "far",
        "http://far/",
        "ssh://",
        "ssh:///",
        "ssh://-oProxyCommand=touch${IFS}x/",
        "ssh://-l@far/",
        "ssh://me@-far/",
        "ssh://@far/",
        "ssh://far/somewhere",
        "ssh://far/?x",
        "ssh://far/#x",
        "ssh://far:99999/",
        "ssh://far:ssh/",
        "ssh://fa r/",
        "ssh://far\n/",
        "ssh://fär/",
        "ssh://[::zz]/",
        "ssh://far;reboot/",
        "ssh://$(reboot)/",
    ],
)
def test_what_is_no_box(url: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_ssh_target(url)


def test_a_password_is_neither_taken_nor_shown() -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_ssh_target("ssh://me:hush@far/")
    assert "hush" not in str(caught.value)


@given(st.text(max_size=40) | st.text("-ssh:/@[].x1\n ", max_size=20).map("ssh://".__add__))
def test_no_url_becomes_an_option(url: str) -> None:
    try:
        target = parse_ssh_target(url)
    except InvalidValueError:
        return
    assert not target.host.startswith("-")
    assert not (target.user or "").startswith("-")
    assert parse_ssh_target(str(target)) == target


@given(st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), min_size=1))
def test_the_shell_of_the_far_side_changes_no_word(words: list[str]) -> None:
    assert shlex.split(ssh_command(SshTarget("far"), words)[-1]) == words


def test_a_real_shell_changes_no_word_either() -> None:
    words = ["printf", "%s\\n", "a b", "$HOME", "`id`", "'\"", ";", "*", "~", "&& x", "-", ""]
    command = ssh_command(SshTarget("far"), words)[-1]
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True, text=True)
    assert done.stdout.split("\n")[:-1] == words[2:]


def test_the_options_of_the_caller_come_first_and_the_host_last() -> None:
    command = ssh_command(SshTarget("far", "me", 2222), ["issbox", "x"], ["BatchMode=yes"])
    assert command[:4] == ["ssh", "-T", "-o", "BatchMode=yes"]
    assert command[-7:] == ["-p", "2222", "-l", "me", "--", "far", "issbox x"]


@pytest.mark.parametrize("text", ["BatchMode=yes", "batchmode yes", "ConnectTimeout = 5"])
def test_options_of_ssh(text: str) -> None:
    assert is_harmless(check_ssh_option(text))


@pytest.mark.parametrize("text", ["", "BatchMode", "-v", "=yes", "A=b", "BatchMode=yes\nProxyCommand=x", "BatchMode="])
def test_what_is_no_option_of_ssh(text: str) -> None:
    with pytest.raises(InvalidValueError):
        check_ssh_option(text)


@pytest.mark.parametrize(
    "text", ["ProxyCommand=x", "LocalCommand=x", "IdentityFile=/x", "KnownHostsCommand=x", "Include=/x"]
)
def test_options_that_could_run_or_read_something(text: str) -> None:
    assert not is_harmless(check_ssh_option(text))
