"""What wsb costs beside hand-written Dockerfiles and envd: `make bench`. Not in `make test`: it looks at the clock."""
