"""Subscription manifests: the ZIP that a distributor exports, read as hostile input."""
