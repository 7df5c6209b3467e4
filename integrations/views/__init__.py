"""Pages under Settings > Integrations & API > Video Calls."""
