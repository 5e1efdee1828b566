"""Hosts: registering them, showing and moving them, what they are entitled to, and their files."""
