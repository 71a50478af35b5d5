"""The command line: one module a command, from argv to exit code. The only place that prints."""
