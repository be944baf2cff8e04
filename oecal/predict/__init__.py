"""What a trained model says about images: logits, features, likelihoods."""
