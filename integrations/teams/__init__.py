"""Microsoft Teams as a video platform. The only package that knows Graph, Entra, UPN, tenants and MSAL."""
