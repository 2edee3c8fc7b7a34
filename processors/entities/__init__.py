"""What processors know of the account's entities; a library without a component."""
