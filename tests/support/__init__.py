"""What tests stand on: a local conda channel of real packages, stand-ins for conda's installers, a loopback HTTP server."""
