"""The places of the console, one module a noun: what each shows, and what can be done there."""
