"""The turn: what is understood of a message and what is said to it."""
