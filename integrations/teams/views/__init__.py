"""Views of the connect wizard, connection requests, Reauthorize and the callback of Microsoft's sign-in."""
