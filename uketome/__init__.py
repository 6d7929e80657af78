"""The command `uketome`: the application put together, started and watched."""
