"""Where orders stand: tables, SQL, and Inventory's advice."""
