"""Products, repositories and content views: where their content comes from and how versions of it are made."""
