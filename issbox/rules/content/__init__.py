"""Rules about content: definitions, filters, comparing, upstreams and manifests."""
