"""What a person or a script sees: console lines, progress, JSON documents, JUnit."""
