"""Microsoft Graph v1.0 endpoints: users, organization, online meetings and $batch.

`routing` sends each request to `users` or `meetings`; `access` checks its token.
"""
