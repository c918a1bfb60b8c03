"""A workspace on Kubernetes: the objects as data, and the small client that hands them to a cluster."""
