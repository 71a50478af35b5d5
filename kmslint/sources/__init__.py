"""What brings keys in: files and live accounts."""
