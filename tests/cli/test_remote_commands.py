"""Which command lines are run for somebody who comes in over SSH."""

import shlex

import click
import pytest

from issbox.cli.reference import every_command
from issbox.cli.remote import check_remote
from issbox.errors import RemoteRefusedError
from issbox.rules.people.remote import split_command

REFUSED = [
    "sh", "/bin/sh", "bash -i", "id", "cat /etc/passwd", "status && id", "`id`", "issbox; id", "python3 -c 'print(1)'",
    "rsync --server . /", "internal-sftp", "/usr/lib/openssh/sftp-server", "git-upload-pack /", "env", "../bin/sh",
    "issbox issbox", "ssh authorized-keys", "init --name x --organization y", "-c id", "--state-dir /x status",
    "verify - --public-key /etc/passwd", "receipt read /etc/passwd", "content-import run ../../etc",
    "trusted-key add /etc/passwd", "user ssh-key add /etc/passwd --name exa",
    "content-credential create --name x --type gpg-key --file /etc/passwd",
    "content-export complete library --destination-server far --output /tmp/x",
    "content-export complete library --destination-server far --output=/tmp/x",
    "content-export incremental library --destination-server far --from-receipt /etc/passwd",
    "receipt create --qr-image /tmp/x", "repository synchronize --product a --label b --source-url FILE:///etc",
    "product update --label a --source-url /etc", "user password -- --file /etc/passwd extra /etc",
    "push ssh://far/ --far-command /bin/sh", "product export-csv --output /tmp/x", "product import-csv /etc/passwd",
    "certificate check /etc/passwd /Acme/dev/os", "certificate show /etc/passwd", "scrub --from /etc",
    "cdn update --type export-sync --url /etc", "cdn update --username a --password-file /etc/shadow",
]  # fmt: skip

ALLOWED = [
    "", "--help", "--version", "status --json", "issbox status", "content-import --help", "content-import run -",
    "content-export complete library --destination-server far --output -", "receipt create --output -",
    "content-export incremental library --destination-server far --from-receipt 3", "receipt read -",
    "repository create --product a --name b --url https://cdn.example.com", "content-import approve 3",
    "audit list --organization ACME", "user password --file -", "product create --name '; rm -rf /'",
    "push ssh://far/ --ssh-option BatchMode=yes", "product export-csv", "product import-csv -",
    "content-view filter create --content-view a --name b --package 'kernel*' --inclusion true --repository tools/base",
    "lifecycle-environment create --name Dev --type rhui --content-prefix /x", "certificate check - /Acme/dev/os",
    "lifecycle-environment update --label dev --type rhui --content-prefix /x",
    "organization update --label A --content-prefix /$org/$env", "cdn enable baseos --release 9.4 --arch x86_64",
    "cdn update --url https://box1 --username ann --password-file -", "cdn choices --release 9.4",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises((RemoteRefusedError, click.UsageError)):
        check_remote(split_command(text))


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed(text: str) -> None:
    check_remote(split_command(text))


@pytest.mark.parametrize(("path", "command"), every_command(), ids=[path for path, _ in every_command()])
def test_a_path_in_any_place_of_any_command_is_refused_or_names_no_file(path: str, command: click.Command) -> None:
    """Whoever adds an option that takes a file has it refused here, unless its metavar says that it is plain."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.is_flag and takes_files(parameter):
            words = [*path.split()[1:], parameter.opts[0], "/etc/passwd"]
            with pytest.raises(RemoteRefusedError):
                check_remote(words)


def takes_files(parameter: click.Option) -> bool:
    named = f"{parameter.metavar or ''} {parameter.opts[0]}".lower()
    return any(word in named for word in ("file", "dir", "path", "output", "url", "proxy"))


def test_quoted_options_are_the_same_options() -> None:
    with pytest.raises(RemoteRefusedError):
        check_remote(split_command(shlex.join(["verify", "/etc/passwd"])))
