# Bytes merge into a slot that was drained already.
# noticed by: nothing merges into an empty ring
/ring_merge_slot(struct ipc_ring/,/^}/s/ring_is_empty(at)/!ring->slots/
