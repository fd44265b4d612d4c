"""Recompute edits: editions without a gap, each told by the history, each with its total."""

QUESTIONS = {
    "order {order_id} is at edition {edition} of {newest}, decided by question {revision}, its "
    "{edits} edits say {applied}, {last} and {asked}": """
SELECT orders.order_id, orders.edition, edition_newest AS newest, edit_revision AS revision,
       count(order_edit.edition) AS edits, coalesce(max(order_edit.edition), 1) AS last,
       coalesce(max(CASE order_edit.state WHEN 'APPLIED' THEN order_edit.edition END), 1)
       AS applied,
       max(CASE order_edit.state WHEN 'ASKED' THEN order_edit.revision END) AS asked
  FROM orders
  LEFT JOIN order_edit ON order_edit.order_id = orders.order_id
 GROUP BY orders.order_id, orders.edition, edition_newest, edit_revision, orders.status
HAVING orders.edition
       <> coalesce(max(CASE order_edit.state WHEN 'APPLIED' THEN order_edit.edition END), 1)
    OR edition_newest <> coalesce(max(order_edit.edition), 1)
    OR edition_newest <> count(order_edit.edition) + 1
    OR coalesce(edit_revision, 0)
       <> coalesce(sum(CASE order_edit.state WHEN 'ASKED' THEN order_edit.revision END), 0)
    OR edit_revision IS NOT NULL AND orders.status NOT IN ('RESERVED', 'CONFIRMED',
                                                           'PARTIALLY_SHIPPED')
""",
    "order {order_id} has edition {edition} {state} by question {revision} of {asked}, from "
    "version {asked_version} to {ended_version}, short of {missing}": """
SELECT order_edit.order_id, order_edit.edition, state, order_edit.revision, orders.asked,
       asked_version, ended_version, missing
  FROM order_edit
  JOIN orders ON orders.order_id = order_edit.order_id
 WHERE order_edit.revision > orders.asked OR order_edit.revision = 1
    OR (state = 'ASKED') <> (ended_version IS NULL)
    OR (state = 'REFUSED') <> (CAST(missing AS text) <> '[]')
    OR (order_edit.revision = 0) <> (asked_version = coalesce(ended_version, 0))
    OR order_edit.revision = 0 AND state <> 'APPLIED'
    OR ended_version < asked_version
""",
    "order {order_id} tells of an edit at version {version} {told} times, its edits {edits}": """
SELECT order_id, version, sum(told) AS told, sum(edits) AS edits
  FROM (SELECT order_id, version, action, 1 AS told, 0 AS edits
          FROM order_history
         WHERE action IN ('EDIT_ASKED', 'EDITED', 'EDIT_REFUSED')
         UNION ALL
        SELECT order_id, asked_version, 'EDIT_ASKED', 0, 1
          FROM order_edit
         WHERE revision > 0
         UNION ALL
        SELECT order_edit.order_id, ended_version,
               CASE state WHEN 'APPLIED' THEN 'EDITED' ELSE 'EDIT_REFUSED' END, 0, 1
          FROM order_edit
          LEFT JOIN order_history AS ended ON ended.order_id = order_edit.order_id
           AND ended.version = ended_version
           AND ended.status = 'SHIPPED' AND ended.action = ''  -- the rest was cancelled with it
         WHERE state IN ('APPLIED', 'REFUSED')
           AND ended.order_id IS NULL) AS counted
 GROUP BY order_id, version, action
HAVING sum(told) <> sum(edits)
""",
    "order {order_id} totals {total_minor} in edition {edition}, its {lines} lines and charges "
    "{summed}": """
SELECT order_edit.order_id, order_edit.edition, order_edit.total_minor,
       count(order_line.line_no) AS lines,
       sum(order_line.quantity * order_line.unit_price_minor) + max(charged.minor) AS summed
  FROM order_edit
  JOIN (SELECT order_edit.order_id, order_edit.edition,
               coalesce(sum(CASE kind WHEN 'DISCOUNT' THEN -amount_minor WHEN 'TAX_INCLUDED' THEN 0
                            ELSE amount_minor END), 0) AS minor
          FROM order_edit
          LEFT JOIN order_charge ON order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition
         GROUP BY order_edit.order_id, order_edit.edition) AS charged
    ON charged.order_id = order_edit.order_id AND charged.edition = order_edit.edition
  LEFT JOIN order_line ON order_line.order_id = order_edit.order_id
   AND order_line.edition = order_edit.edition
 GROUP BY order_edit.order_id, order_edit.edition, order_edit.total_minor
HAVING count(order_line.line_no) = 0
    OR sum(order_line.quantity * order_line.unit_price_minor) + max(charged.minor)
       <> order_edit.total_minor
""",
    "order {order_id} has lines, charges or a sourcing of edition {edition}, which it never "
    "had": """
SELECT stray.order_id, stray.edition
  FROM (SELECT order_id, edition FROM order_line
         UNION SELECT order_id, edition FROM order_charge
         UNION SELECT order_id, edition FROM order_sourcing) AS stray
  JOIN orders ON orders.order_id = stray.order_id
  LEFT JOIN order_edit ON order_edit.order_id = stray.order_id
   AND order_edit.edition = stray.edition
 WHERE stray.edition <> 1 AND order_edit.order_id IS NULL
""",
}
