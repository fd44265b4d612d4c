"""The microservice chassis: what both services stand on; it knows no business word."""
