"""Floor 3: video platforms, as the rest of the product sees them. Knows nothing of appointments."""
