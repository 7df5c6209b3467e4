"""Floor 2: what an organisation offers, in which meeting methods, and who provides it."""
