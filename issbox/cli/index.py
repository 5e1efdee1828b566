"""Every command of the first level, so that `issbox --help` needs none of their modules."""

from dataclasses import dataclass
from typing import Final

import click


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is defined, as importlib reads it from `issbox.cli`, and what it is for."""

    module: str
    attribute: str
    help: str


COMMANDS: Final[dict[str, Entry]] = {
    "init": Entry(".appliance.init", "init", "Make a box: state directory, signing key, first organization."),
    "status": Entry(".appliance.status", "status", "Show how the box is doing and what needs attention."),
    "box": Entry(".appliance.box", "box", "Show the identity of this box."),
    "organization": Entry(".content.organization", "organization", "Manage organizations."),
    "product": Entry(".content.product", "product", "Manage products, the sets that repositories belong to."),
    "content-credential": Entry(
        ".content.content_credential", "content_credential", "Manage GPG keys and certificates."
    ),
    "manifest": Entry(
        ".content.manifest", "manifest", "Manage subscription manifests, which Red Hat products come from."
    ),
    "cdn": Entry(".content.cdn", "cdn", "Say where Red Hat content comes from, and choose what of it."),
    "repository": Entry(".content.repository", "repository", "Manage and synchronize repositories."),
    "content-view": Entry(
        ".content.content_view", "content_view", "Manage sets of repositories and publish versions of them."
    ),
    "lifecycle-environment": Entry(
        ".environments.lifecycle_environment", "lifecycle_environment", "Manage the stages that content goes through."
    ),
    "content": Entry(".environments.content", "content", "Show and change what hosts are told of promoted contents."),
    "consumer": Entry(".hosts.consumer", "consumer", "Manage hosts and which environments they are in."),
    "activation-key": Entry(".hosts.activation_key", "activation_key", "Manage the keys that hosts register with."),
    "entitlement": Entry(".hosts.entitlement", "entitlement", "Manage what hosts are entitled to."),
    "certificate": Entry(".hosts.certificate", "certificate", "Show, check and regenerate certificates."),
    "promotion": Entry(".environments.promotion", "promotion", "Show and take back changes of what environments hold."),
    "content-export": Entry(".exchange.content_export", "content_export", "Write bundles to carry across the gap."),
    "content-import": Entry(".exchange.content_import", "content_import", "Take bundles in and show what came in."),
    "push": Entry(".exchange.push", "push", "Send another box what it lacks, over SSH."),
    "receipt": Entry(".exchange.receipt", "receipt", "State what this box holds, and read what others state."),
    "job": Entry(".appliance.job", "job", "Watch and stop long work that goes on by itself."),
    "inbox": Entry(".exchange.inbox", "inbox", "Look into the folder where bundles arrive."),
    "trusted-key": Entry(
        ".exchange.trusted_key", "trusted_key", "Manage the keys of boxes whose bundles are accepted."
    ),
    "user": Entry(".appliance.user", "user", "Manage users, their roles, passwords, tokens and SSH keys."),
    "doctor": Entry(".appliance.doctor", "doctor", "Look for what is wrong with this box, and put it right."),
    "notify": Entry(".appliance.notify", "notify", "Tell people and programs what happened."),
    "scrub": Entry(".appliance.scrub", "scrub", "Read stored files again and mend damaged ones."),
    "backup": Entry(".appliance.recovery", "backup", "Write everything but the packages to one sealed file."),
    "restore": Entry(".appliance.recovery", "restore", "Make this box anew from a backup."),
    "ssh": Entry(".appliance.ssh", "ssh", "Let users in over SSH: what sshd calls."),
    "verify": Entry(".exchange.verify", "verify", "Check a bundle completely without importing it."),
    "audit": Entry(".appliance.audit", "audit", "Show and check the record of all changes."),
    "store": Entry(".appliance.store", "store", "Put the store in order and free space."),
    "ca": Entry(".hosts.ca", "ca", "Manage the authority of this box, and which others sign certificates of hosts."),
    "tui": Entry(".appliance.tui", "tui", "Open the console."),
    "web": Entry(".appliance.web", "web", "Put a web server in front of this box."),
    "serve": Entry(".appliance.serve", "serve", "Run the service: watch the inbox, import what arrives, serve hosts."),
    "completion": Entry(".completion", "completion", "Print the completion script for a shell."),
}


def noun(name: str) -> click.Group:
    """Make the group of a noun; its help is the one of the table."""
    return click.Group(name, help=COMMANDS[name].help)
