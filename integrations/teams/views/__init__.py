"""The connect wizard, Reauthorize, and the way back from Microsoft."""
