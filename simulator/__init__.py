"""A stand-in Microsoft 365 tenant (Entra ID and Microsoft Graph) in one process."""
