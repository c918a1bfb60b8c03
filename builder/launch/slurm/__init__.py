"""A workspace on Slurm: the script, its submission, what became of it."""
