"""The front end of commands: one module per noun."""
