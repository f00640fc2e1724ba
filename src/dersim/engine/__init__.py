"""The engine: what runs a fleet and its front-ends."""
