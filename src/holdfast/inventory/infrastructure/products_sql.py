"""SQL of lists of products, as PostgreSQL reads it."""


class ProductStatements:
    """What `products.py` asks of the database."""

    _PRODUCT = """
  SELECT product.product_id, name, description, currency, price_minor, product.active,
         product.version, backorder_max, expected_on, product.safety_stock
    FROM product
"""
    # What a product has no index for is checked product by product; available is what
    # `StockInfo.available` says, of products that were in stock once.
    _FITS = """
     AND ($4::boolean IS NULL OR product.active = $4)
     AND ($6::boolean IS NULL
          OR $6 = EXISTS (SELECT 1
                            FROM stock_level
                           WHERE stock_level.product_id = product.product_id
                             AND waited))
     AND ($5::bigint IS NULL
          OR $5 >= (SELECT SUM(CASE WHEN location.active
                                     AND on_hand - reserved - quarantined > product.safety_stock
                                    THEN on_hand - reserved - quarantined - product.safety_stock
                                    ELSE 0 END) - SUM(queued)
                      FROM stock_level
                      JOIN location USING (location_id)
                     WHERE stock_level.product_id = product.product_id
                    HAVING MAX(stock_level.version) > 0))
"""
    _FIRST = """
ORDER BY product.product_id
   LIMIT $3
"""
    _FIRST_GATES = """
ORDER BY gate.product_id
   LIMIT $3
"""
    _PRODUCTS = (
        _PRODUCT
        + """
   WHERE product.product_id > $1
     AND product.product_id <= $2
"""
    )
    _GATES = (
        _PRODUCT
        + """
    JOIN stock_level AS gate USING (product_id)
   WHERE gate.product_id > $1
     AND gate.product_id <= $2
"""
    )

    # One text for each filter that has an index of its own, which leads.
    LIST_PRODUCTS = _PRODUCTS + _FITS + _FIRST
    LIST_PRODUCTS_BY_ACTIVE = _PRODUCTS + "     AND product.active = $4" + _FITS + _FIRST
    LIST_PRODUCTS_WAITED_FOR = _GATES + "     AND gate.waited" + _FITS + _FIRST_GATES
    LIST_SOLD_OUT_PRODUCTS = (
        _GATES + "     AND gate.sold_out AND gate.lot_id = ''" + _FITS + _FIRST_GATES
    )
    LIST_SCARCE_PRODUCTS = (
        _GATES + "     AND gate.scarce AND gate.lot_id = ''" + _FITS + _FIRST_GATES
    )

    IS_MAIN_ACTIVE = """
SELECT active
  FROM location
 WHERE location_id = 'main'
   AND active
"""
