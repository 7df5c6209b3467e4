"""Layer 4: clients, appointments, availability, booking and notifications."""
