"""Entra ID endpoints: discovery, authorize, admin consent and token.

The shared parts are authorities, scopes, client authentication, tokens and errors.
"""
