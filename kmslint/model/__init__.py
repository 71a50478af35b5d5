"""What is known of a key, what was asked for, and what came of it: keys, settings, results."""
