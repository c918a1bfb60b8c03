"""Probes that run inside the container, and checks that hold their JSON against the Plan."""
