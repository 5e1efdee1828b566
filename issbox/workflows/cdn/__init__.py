"""Red Hat content: where it is read from, what lies there, and which of it is enabled."""
