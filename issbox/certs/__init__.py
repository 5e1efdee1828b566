"""Keys, the authority, identity and entitlement certificates: made, read, verified and asked for their grants."""
