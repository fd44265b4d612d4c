"""What tests, proof and bench stand on: private servers, services as processes, free ports."""
