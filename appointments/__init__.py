"""Floor 4: clients, appointments, availability, booking and what people are told about it."""
