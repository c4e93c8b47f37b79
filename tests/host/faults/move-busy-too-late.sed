# A move to one slot too few is not refused.
# noticed by: a move to too few slots is EBUSY and changes nothing
s/if (ring_used(at) > to->nr)$/if (ring_used(at) > to->nr + 1)/
