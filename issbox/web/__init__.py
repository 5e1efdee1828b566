"""HTTPS: content for hosts, the guard in front of it, and what a web server in front of this one asks."""
