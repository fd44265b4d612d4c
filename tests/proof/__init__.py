"""Tests of the proof itself: a checker that can't fail proves nothing."""
