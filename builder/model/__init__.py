"""The nouns of wsb: frozen types, no I/O, no other room imported.

What the user wrote is a Spec, the machine is a Host, everything decided is a Plan, what will be written is a FileSet, and
what the finished image answers is a Report.
"""
