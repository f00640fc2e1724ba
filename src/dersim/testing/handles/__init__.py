"""What the fixtures give to a test: handles of the parts of a world that runs in a thread of its own."""
