"""Small real things in the place of what tests must rule: the clock, Rasa, PostgreSQL's cluster."""
