"""What is kept: settings, the clock, the database and all of its tables."""
