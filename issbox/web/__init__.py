"""HTTPS: content for hosts, the guard in front of it, what a web server in front of this one asks, and the API."""
