"""A shop's products, prices, stock, customers and orders as files: taken in, and given out."""
