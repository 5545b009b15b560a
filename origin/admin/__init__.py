"""What operators set up."""
