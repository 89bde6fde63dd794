"""What the stand-in must do to pass for a bench. Run by `lab/standin/test`, which starts what they need."""
