"""Orders, one of the two services; it never imports Inventory."""
