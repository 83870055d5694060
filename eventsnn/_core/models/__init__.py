"""The equations of each model, compiled."""
