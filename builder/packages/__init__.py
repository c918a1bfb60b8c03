"""Packages by the names people use: what a project imports, declares and has installed, and how one is added or taken out."""
