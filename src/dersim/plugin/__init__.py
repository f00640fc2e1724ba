"""What a plug-in may add to dersim, and how plug-ins are found and loaded."""
