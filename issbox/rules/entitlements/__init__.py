"""Rules about certificates of hosts: what they name, how paths are written, when they go stale or end."""
