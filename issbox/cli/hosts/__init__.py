"""Commands about hosts, their entitlements and certificates, and the authority."""
