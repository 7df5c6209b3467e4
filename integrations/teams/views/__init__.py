"""Views of the connect wizard, Reauthorize and the callback of Microsoft's sign-in."""
