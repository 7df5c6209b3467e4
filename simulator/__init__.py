"""Stand-in for a Microsoft 365 tenant: Entra ID and Microsoft Graph in one process.

Run it with `python -m simulator`. It imports nothing of the product.
"""
