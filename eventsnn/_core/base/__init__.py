"""Mathematical functions with the same bits everywhere."""
