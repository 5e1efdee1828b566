"""Yum repositories: reading repodata and mirroring an upstream."""
