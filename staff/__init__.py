"""Layer 1: organisations, locations, staff with their hours and roles. Imports nothing from upper layers."""
