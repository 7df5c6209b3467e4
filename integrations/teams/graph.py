"""Graph, and the only place that sends requests to it."""
