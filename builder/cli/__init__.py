"""click commands, one file a verb: flags in, exit code out. Nothing heavy is imported before a command needs it."""
