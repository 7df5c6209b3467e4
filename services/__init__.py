"""Layer 2: the services of an organisation, their meeting methods, and the staff who provide them."""
