"""Levels are looked at while the system is busy: do they fit ledger, locations and queues?"""

from holdfast.chassis.database.seam import Database
from proof.snapshot import Sample

# One statement sees one moment. Each level weighs against its movements, which count negatively.
_UNBALANCED = """
SELECT product_id, location_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved,
       sum(quarantined) AS quarantined, sum(version) AS version, min(free) AS free
  FROM (SELECT product_id, location_id, on_hand, reserved, quarantined, version,
               on_hand - reserved - quarantined AS free
          FROM stock_level
         UNION ALL
        SELECT product_id, location_id, -on_hand_delta, -reserved_delta,
               -coalesce(quarantined_delta, 0), -1, 0
          FROM stock_movement) AS weighed
 GROUP BY product_id, location_id
HAVING sum(on_hand) <> 0 OR sum(reserved) <> 0 OR sum(quarantined) <> 0 OR sum(version) <> 0
    OR min(free) < 0
"""

_QUEUE_UNBALANCED = """
SELECT product_id, sum(queued) AS queued, sum(in_rows) AS rows
  FROM (SELECT product_id, queued, 0 AS in_rows
          FROM stock_level
         UNION ALL
        SELECT product_id, 0, quantity
          FROM backorder) AS weighed
 GROUP BY product_id
HAVING sum(queued) <> sum(in_rows)
"""

# A location that is active again has forgotten since when it was not: this has to be seen in time.
# Units of a transfer that did not come stand in the ledger right before they are lost.
_WHERE_INACTIVE = """
SELECT movement_id, stock_movement.kind, product_id, stock_movement.location_id
  FROM location
  JOIN stock_movement ON stock_movement.location_id = location.location_id
   AND movement_id > inactive_after
 WHERE stock_movement.kind IN ('RECEIPT', 'RESERVATION', 'UNQUARANTINE')
    OR stock_movement.kind = 'TRANSFER_IN'
   AND NOT EXISTS (SELECT 1
                     FROM stock_movement AS lost
                    WHERE lost.kind = 'TRANSFER_LOSS'
                      AND lost.reference = stock_movement.reference
                      AND lost.product_id = stock_movement.product_id
                      AND lost.on_hand_delta = -stock_movement.on_hand_delta
                      AND lost.movement_id > stock_movement.movement_id)
"""


async def sample_of(inventory: Database) -> Sample:
    """Hold all levels against their movements, and these against the locations that are inactive,
    each as of one moment; cheap enough for every second.
    """
    async with inventory.read() as reading:
        unbalanced = await reading.fetch(_UNBALANCED)
        where_inactive = await reading.fetch(_WHERE_INACTIVE)
        queues = await reading.fetch(_QUEUE_UNBALANCED)
    return Sample(
        (
            *(
                f"{row['product_id']} at {row['location_id']}: the level exceeds its movements by "
                f"{row['on_hand']} on hand, {row['reserved']} reserved, {row['quarantined']} "
                f"quarantined, {row['version']} versions; at least {row['free']} free"
                for row in unbalanced
            ),
            *(
                f"{row['product_id']} at {row['location_id']}: movement {row['movement_id']} is a "
                f"{row['kind']}, and the location was inactive by then"
                for row in where_inactive
            ),
            *(
                f"{row['product_id']}: {row['queued']} wait by its gate, {row['rows']} by its rows"
                for row in queues
            ),
        )
    )
