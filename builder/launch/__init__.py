"""Where a built workspace runs: this engine; later Slurm and Kubernetes."""
