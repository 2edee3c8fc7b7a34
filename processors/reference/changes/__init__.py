"""Applies what webhooks say of reference entities, at once."""
