"""Drawing review against the plan: from a drawing to a signed opinion, and on to the as-built survey."""
