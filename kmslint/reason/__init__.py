"""The reasoning core: questions about all requests at once, answered by proof or by witness."""
