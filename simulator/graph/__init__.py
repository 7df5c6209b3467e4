"""Microsoft Graph v1.0: users, the organisation, online meetings and batches."""
