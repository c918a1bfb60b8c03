"""A project's own files: text → what it declares and imports. Nothing of the project is ever executed."""
