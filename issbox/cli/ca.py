"""`issbox ca`."""

from issbox.cli.index import noun
from issbox.cli.redhat_trust import trust_redhat

ca = noun("ca")
ca.add_command(trust_redhat)
