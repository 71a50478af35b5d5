"""The policy language: what a key policy says (`parse`) and what it means (`evaluate`)."""
