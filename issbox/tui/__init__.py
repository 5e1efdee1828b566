"""The full-screen console: shows the places and actions of `issbox.console`; the only room that knows textual."""
