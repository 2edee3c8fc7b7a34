"""The Zoom apps that may send webhooks: their form, their list, and its reloading."""
