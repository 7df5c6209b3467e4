"""Floor 1: organisations, locations, staff, their hours and roles. Imports nothing from the floors above."""
