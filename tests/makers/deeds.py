"""Every command of issbox by what it does to the box: changes it, or only reads.

`CHANGING` is a story in order: each command works for the administrator when those before it have been run. Words in
braces are filled in by the test. Whoever adds a command adds it here, and so has it tried as users who may not run it.
"""

from dataclasses import dataclass

ORGANIZATION = "Quuxcorp"
"""The organization of the story; other users must not find the word, nor QUUX, in any output."""
_OF = f"--organization {ORGANIZATION}"
_TO = "--destination-server far --output {tmp}/exports"


@dataclass(frozen=True)
class Deed:
    """A command with words that make it do something."""

    words: str
    codes: tuple[int, ...] = (0,)
    """Exit codes that are right for the administrator."""


@dataclass(frozen=True)
class Look:
    """A command that only reads."""

    words: str
    viewer: int = 0
    """Exit code for a viewer of the organization: 12 when it takes more than seeing content."""


CHANGING: dict[str, Deed] = {
    "organization create": Deed("--label Short --name Short"),
    "organization update": Deed("--label Short --name Shorter"),
    "organization delete": Deed(f"--label {ORGANIZATION} --yes", codes=(5,)),
    "content-credential create": Deed(_OF + " --name quux-key --type gpg-key --file {gpg}"),
    "content-credential delete": Deed(_OF + " --label quux-key --yes"),
    "product create": Deed(_OF + " --label Quuxspare --name Quuxspare"),
    "product update": Deed(_OF + " --label Quuxspare --name Another"),
    "product export-csv": Deed(_OF),
    "product import-csv": Deed(_OF + " {definitions}"),
    "product synchronize": Deed(_OF + " --label Quuxtools"),
    "product delete": Deed(_OF + " --label Quuxspare --yes"),
    "repository create": Deed(_OF + " --product Quuxtools --label extra --url {upstream}"),
    "repository update": Deed(_OF + ' --product Quuxtools --label extra --url ""'),
    "repository delete": Deed(_OF + " --product Quuxtools --label extra --yes"),
    "repository synchronize": Deed(_OF + " --product Quuxtools --label quuxbase"),
    "trusted-key add": Deed("{own_key} --name myself"),
    "content-export complete repository": Deed(f"{_OF} --product Quuxtools {_TO}"),
    "content-export complete product": Deed(f"{_OF} --product Quuxtools {_TO}"),
    "content-export complete library": Deed(f"{_OF} {_TO}"),
    "content-export complete lifecycle-environment": Deed(f"{_OF} --label Library {_TO}"),
    "content-export incremental repository": Deed(f"{_OF} --product Quuxtools {_TO}"),
    "content-export incremental product": Deed(f"{_OF} --product Quuxtools {_TO}"),
    "content-export incremental library": Deed(f"{_OF} {_TO}"),
    "content-export incremental lifecycle-environment": Deed(f"{_OF} --label Library {_TO}"),
    "content-export recut": Deed("--slip {slip} --output {tmp}/exports"),
    "content-export prune": Deed(f"{_OF} --yes"),
    "content-view create": Deed(_OF + " --label quuxview --name Quuxview"),
    "content-view update": Deed(_OF + " --label quuxview --description Quux"),
    "content-view add-repository": Deed(_OF + " --label quuxview --product Quuxtools --repository quuxbase"),
    "content-view filter create": Deed(_OF + " --content-view quuxview --name quuxfilter --package gap-*"),
    "content-view filter delete": Deed(_OF + " --content-view quuxview --name quuxfilter --yes"),
    "content-view publish": Deed(_OF + " --label quuxview"),
    "content-export complete version": Deed(f"{_OF} --content-view quuxview {_TO}"),
    "content-export incremental version": Deed(f"{_OF} --content-view quuxview {_TO}"),
    "lifecycle-environment create": Deed(_OF + " --name quuxstage --prior Library"),
    "lifecycle-environment update": Deed(_OF + " --label quuxstage --description Quux"),
    "content-view version promote": Deed(_OF + " --content-view quuxview --to-environment quuxstage"),
    "promotion undo": Deed("2"),
    "repository promote": Deed(_OF + " --label Quuxtools/quuxbase --to-environment quuxstage"),
    "lifecycle-environment promote": Deed(_OF + " --label Library --to-environment quuxstage"),
    "lifecycle-environment set-content": Deed(_OF + " --label quuxstage --repository Quuxtools/quuxbase=1"),
    "lifecycle-environment remove-content": Deed(_OF + " --label quuxstage --repository Quuxtools/quuxbase"),
    "lifecycle-environment delete": Deed(_OF + " --label quuxstage --yes"),
    "content-view remove-repository": Deed(_OF + " --label quuxview --product Quuxtools --repository quuxbase"),
    "content-view version delete": Deed(_OF + " --content-view quuxview --version 1.0 --force --yes"),
    "content-view delete": Deed(_OF + " --label quuxview --yes"),
    "push": Deed(f"ssh://127.0.0.1:1/ --ssh-option BatchMode=yes {_OF}", codes=(9, 6)),
    "activation-key create": Deed(_OF + " --label quuxkey"),
    "activation-key update": Deed(_OF + " --label quuxkey --description Quux"),
    "activation-key delete": Deed(_OF + " --label quuxkey --yes"),
    "consumer create": Deed(_OF + " --name quuxhost2 --environment quux-lasting"),
    "consumer update": Deed("{host} --name quuxhost3"),
    "consumer move": Deed(_OF + " {host} --environment quux-lasting"),
    "entitlement create": Deed("--consumer {host} --product Quuxtools"),
    "content enable": Deed(_OF + " --environment quux-lasting --label {content} --enabled yes"),
    "content override": Deed(_OF + " --environment quux-lasting --label quux --set priority=1"),
    "certificate regenerate": Deed(_OF + " --async"),
    "entitlement delete": Deed("{entitlement} --yes"),
    "consumer delete": Deed("{host} --yes"),
    "ca create": Deed("", codes=(5,)),
    "ca request": Deed(""),
    "ca renew": Deed(""),
    "ca install": Deed("{gpg}", codes=(3, 7)),
    "receipt read": Deed("{receipt} --accept-untrusted"),
    "receipt delete": Deed("1 --yes"),
    "content-import run": Deed(_OF + " {bundle}", codes=(0, 3)),
    "content-import preview": Deed("{bundle}"),
    "trusted-key remove": Deed("myself --yes"),
    "inbox scan": Deed("", codes=(11,)),
    "content-import retry": Deed("{refused}", codes=(11,)),
    "content-import approve": Deed("{refused}", codes=(5,)),
    "content-import missing": Deed("{refused}", codes=(0, 4, 7, 11)),
    "content-import slip": Deed("{refused} --short", codes=(5, 11)),
    "content-import refuse": Deed("{refused} --reason no", codes=(5,)),
    "content-import rollback": Deed("{refused} --yes", codes=(5,)),
    "content-import discard": Deed("{refused} --yes"),
    "user create": Deed("--name zoe --full-name Zoe"),
    "user update": Deed("--name zoe --full-name Zoey"),
    "user grant": Deed(f"--name zoe --role viewer {_OF} --product Quuxtools"),
    "user revoke": Deed(f"--name zoe --role viewer {_OF}"),
    "user password": Deed("--name zoe --file {password}"),
    "user token create": Deed("--name zoe --token backup"),
    "user token revoke": Deed("--name zoe --token backup --yes"),
    "user ssh-key add": Deed("{ssh_key} --name zoe"),
    "user ssh-key remove": Deed("{fingerprint} --name zoe --yes"),
    "user delete": Deed("--name zoe --yes"),
    "job cancel": Deed("2"),
    "store cleanup": Deed(""),
    "store reconcile": Deed(""),
    "audit sign": Deed(""),
    "scrub": Deed("", codes=(0, 7)),
    "ca trust-redhat": Deed("--off"),
    "manifest import": Deed(_OF + " {manifest} --ca {manifest_ca}"),
    "manifest refresh": Deed(_OF, codes=(2,)),
    "manifest delete": Deed(_OF + " --yes"),
    "web nginx-config": Deed("", codes=(6,)),
}

READING: dict[str, Look] = {
    "status": Look(""),
    "box show": Look(""),
    "organization info": Look(f"--label {ORGANIZATION}"),
    "organization list": Look(""),
    "product info": Look(_OF + " --label Quuxtools"),
    "product list": Look(_OF),
    "content-credential info": Look(_OF + " --label quux-lasting"),
    "content-credential list": Look(_OF),
    "repository info": Look(_OF + " --product Quuxtools --label quuxbase"),
    "repository list": Look(_OF),
    "repository versions": Look(_OF + " --product Quuxtools --label quuxbase"),
    "content-export info": Look("1"),
    "content-export list": Look(""),
    "content-import info": Look("1"),
    "content-import list": Look(""),
    "inbox list": Look(""),
    "content-view filter list": Look(_OF + " --content-view quux-lasting"),
    "job info": Look("1"),
    "job list": Look(""),
    "job wait": Look("1"),
    "content-view info": Look(_OF + " --label quux-lasting"),
    "content-view list": Look(_OF),
    "content-view version info": Look(_OF + " --content-view quux-lasting --version 1.0"),
    "content-view version list": Look(_OF + " --content-view quux-lasting"),
    "lifecycle-environment info": Look(_OF + " --label quux-lasting"),
    "lifecycle-environment list": Look(_OF),
    "lifecycle-environment paths": Look(_OF),
    "activation-key info": Look(_OF + " --label quux-lasting", viewer=12),
    "activation-key list": Look(_OF, viewer=12),
    "ca crl": Look(""),
    "ca show": Look(""),
    "certificate list": Look("--consumer {host}", viewer=12),
    "certificate regenerations": Look(_OF, viewer=12),
    "consumer info": Look("{host}", viewer=12),
    "consumer list": Look(_OF, viewer=12),
    "content status": Look(_OF + " --environment quux-lasting"),
    "entitlement list": Look("--consumer {host}", viewer=12),
    "manifest history": Look(_OF),
    "manifest info": Look(_OF),
    "promotion info": Look("1"),
    "promotion list": Look(_OF),
    "receipt create": Look(_OF + " --short"),
    "receipt info": Look("1"),
    "receipt list": Look(""),
    "trusted-key list": Look(""),
    "user info": Look("--name vic"),
    "user list": Look("", viewer=12),
    "user ssh-key list": Look(""),
    "user token list": Look("--name vic"),
    "user whoami": Look(""),
    "audit list": Look(_OF, viewer=12),
    "audit verify": Look("", viewer=12),
    "audit export": Look(_OF, viewer=12),
    "completion": Look("bash"),
}

APART: dict[str, str] = {
    "init": "makes a box; no user of one may",
    "job work": "does the jobs of all users; no user may",
    "tui": "asks a person; each of its actions is one of a workflow, which asks for permission",
    "serve": "runs for ever; no user may",
    "doctor": "looks at the files of the box; no user may",
    "notify": "runs programs of the box; no user may",
    "backup": "reads the keys of the box; no user may",
    "restore": "makes a box; no user of one may",
    "ssh authorized-keys": "for sshd; no user may",
    "ssh session": "for sshd; becomes a user",
    "content-import report": "takes an import that went well; tests/workflows/test_reporting.py asks as users",
    "certificate check": "reads a file, and of the box only whether its serial number was revoked",
    "certificate show": "reads a file and nothing of the box, but for certificates that were issued here",
    "verify": "reads a bundle and nothing of the box but its keys",
}
"""Commands that are tried in a test of their own, and why."""
