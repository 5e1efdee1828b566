"""Certificates: the authority, issuing for hosts, issuing anew, revoking, and the server's own."""
