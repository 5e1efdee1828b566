"""Rules about bundles: what an import may change, volumes, receipts, slips, retention."""
