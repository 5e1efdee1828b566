"""A line to type that obeys keys in the order in which they were pressed."""

from textual import events
from textual.widgets import Input


class TypedInput(Input):
    """An input whose editing keys are no bindings.

    Bindings are looked for only when a key has bubbled up, after letters that a slow line brought along with it: what
    was typed as `a b Backspace c` would be `ab`.
    """

    def on_key(self, event: events.Key) -> None:
        """Edit at once."""
        edit = {
            "left": self.action_cursor_left,
            "right": self.action_cursor_right,
            "home": self.action_home,
            "end": self.action_end,
            "backspace": self.action_delete_left,
            "delete": self.action_delete_right,
            "ctrl+u": self.action_delete_left_all,
            "ctrl+k": self.action_delete_right_all,
            "ctrl+w": self.action_delete_left_word,
        }.get(event.key)
        if edit is not None:
            event.stop()
            event.prevent_default()
            edit()
