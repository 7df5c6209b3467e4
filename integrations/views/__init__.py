"""The pages under Settings > Integrations & API > Video Calls."""
