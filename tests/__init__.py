"""The tests of Holdfast, and the private servers they run on."""
