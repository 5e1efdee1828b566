"""Commands about products, repositories, content views, manifests and the CDN."""
