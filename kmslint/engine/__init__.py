"""Rules and what becomes of them on a key: the schema of rule.toml, where rules are found, assessment, suppression."""
