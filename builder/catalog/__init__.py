"""The tables under builder/data and pure queries over them; one loader."""
