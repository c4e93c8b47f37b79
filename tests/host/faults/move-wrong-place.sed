# A move keeps the places of the old array instead of finding new ones.
# noticed by: a move loses no bytes, no page, and doubles none
s/\*ring_slot(to, i) = \*old;/to->slot[(i \& (from->nr - 1)) % to->nr] = *old;/
