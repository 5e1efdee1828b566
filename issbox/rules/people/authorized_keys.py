"""Lines of an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT): each lets one key in as one user.

`restrict` switches off forwarding of ports, agent and X11, ~/.ssh/rc, and whatever later versions of sshd add; `pty`
gives back the terminal that the console needs. The forced command is the only thing that the key runs, whatever its
owner asks for.
"""

import shlex
from collections.abc import Sequence

from issbox.errors import InvalidValueError
from issbox.model import UserSshKey


def authorized_line(owned: UserSshKey, session: Sequence[str]) -> str:
    """Give the line for a key; `session` are the words that open a session, to which the user is added.

    Raises InvalidValueError when a word cannot stand in such a line.
    """
    words = [*session, "--user", owned.user]
    for word in words:
        if not word.isprintable() or "\\" in word:
            raise InvalidValueError(f"{word!r} cannot stand in an authorized_keys file")
    command = shlex.join(words).replace('"', '\\"')
    return f'restrict,pty,command="{command}" {owned.key.type} {owned.key.key} {owned.user}'
