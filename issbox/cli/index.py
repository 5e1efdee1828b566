"""Every command of the first level, so that `issbox --help` needs none of their modules."""

from dataclasses import dataclass
from typing import Final

import click


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is defined, and what it is for."""

    module: str
    attribute: str
    help: str


COMMANDS: Final[dict[str, Entry]] = {
    "init": Entry("issbox.cli.init", "init", "Make a box: state directory, signing key, first organization."),
    "status": Entry("issbox.cli.status", "status", "Show how the box is doing and what needs attention."),
    "box": Entry("issbox.cli.box", "box", "Show the identity of this box."),
    "organization": Entry("issbox.cli.organization", "organization", "Manage organizations."),
    "product": Entry("issbox.cli.product", "product", "Manage products, the sets that repositories belong to."),
    "content-credential": Entry(
        "issbox.cli.content_credential", "content_credential", "Manage GPG keys and certificates."
    ),
    "manifest": Entry(
        "issbox.cli.manifest", "manifest", "Manage subscription manifests, which Red Hat products come from."
    ),
    "cdn": Entry("issbox.cli.cdn", "cdn", "Say where Red Hat content comes from, and choose what of it."),
    "repository": Entry("issbox.cli.repository", "repository", "Manage and synchronize repositories."),
    "content-view": Entry(
        "issbox.cli.content_view", "content_view", "Manage sets of repositories and publish versions of them."
    ),
    "lifecycle-environment": Entry(
        "issbox.cli.lifecycle_environment", "lifecycle_environment", "Manage the stages that content goes through."
    ),
    "content": Entry("issbox.cli.content", "content", "Show and change what hosts are told of promoted contents."),
    "consumer": Entry("issbox.cli.consumer", "consumer", "Manage hosts and which environments they are in."),
    "activation-key": Entry("issbox.cli.activation_key", "activation_key", "Manage the keys that hosts register with."),
    "entitlement": Entry("issbox.cli.entitlement", "entitlement", "Manage what hosts are entitled to."),
    "certificate": Entry("issbox.cli.certificate", "certificate", "Show, check and regenerate certificates."),
    "promotion": Entry("issbox.cli.promotion", "promotion", "Show and take back changes of what environments hold."),
    "content-export": Entry("issbox.cli.content_export", "content_export", "Write bundles to carry across the gap."),
    "content-import": Entry("issbox.cli.content_import", "content_import", "Take bundles in and show what came in."),
    "push": Entry("issbox.cli.push", "push", "Send another box what it lacks, over SSH."),
    "receipt": Entry("issbox.cli.receipt", "receipt", "State what this box holds, and read what others state."),
    "job": Entry("issbox.cli.job", "job", "Watch and stop long work that goes on by itself."),
    "inbox": Entry("issbox.cli.inbox", "inbox", "Look into the folder where bundles arrive."),
    "trusted-key": Entry(
        "issbox.cli.trusted_key", "trusted_key", "Manage the keys of boxes whose bundles are accepted."
    ),
    "user": Entry("issbox.cli.user", "user", "Manage users, their roles, passwords, tokens and SSH keys."),
    "doctor": Entry("issbox.cli.doctor", "doctor", "Look for what is wrong with this box, and put it right."),
    "notify": Entry("issbox.cli.notify", "notify", "Tell people and programs what happened."),
    "scrub": Entry("issbox.cli.scrub", "scrub", "Read stored files again and mend damaged ones."),
    "backup": Entry("issbox.cli.recovery", "backup", "Write everything but the packages to one sealed file."),
    "restore": Entry("issbox.cli.recovery", "restore", "Make this box anew from a backup."),
    "ssh": Entry("issbox.cli.ssh", "ssh", "Let users in over SSH: what sshd calls."),
    "verify": Entry("issbox.cli.verify", "verify", "Check a bundle completely without importing it."),
    "audit": Entry("issbox.cli.audit", "audit", "Show and check the record of all changes."),
    "store": Entry("issbox.cli.store", "store", "Put the store in order and free space."),
    "ca": Entry(
        "issbox.cli.ca", "ca", "Manage the authority of this box, and which others sign certificates of hosts."
    ),
    "tui": Entry("issbox.cli.tui", "tui", "Open the console."),
    "web": Entry("issbox.cli.web", "web", "Put a web server in front of this box."),
    "serve": Entry("issbox.cli.serve", "serve", "Run the service: watch the inbox, import what arrives, serve hosts."),
    "completion": Entry("issbox.cli.completion", "completion", "Print the completion script for a shell."),
}


def noun(name: str) -> click.Group:
    """Make the group of a noun; its help is the one of the table."""
    return click.Group(name, help=COMMANDS[name].help)
