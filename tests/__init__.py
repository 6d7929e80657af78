"""Tests: through HTTP and a real database; only LINE, Rasa and the clock are replaced, by small real ones."""
