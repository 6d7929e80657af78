"""What the service knows: fields, services, helplines, the embedding model and the search over it."""
