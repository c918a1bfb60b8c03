"""What a project's own files declare. Text goes in; nothing of the project is imported or run, and no file is opened here."""

from builder.scan.project import read_project

__all__ = ["read_project"]
