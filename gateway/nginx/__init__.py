"""From sites and an nginx to a tree of files."""
