"""Plan → FileSet: the one Jinja environment, Dockerfile, labels. Templates place values; what is decided here is booleans."""
