# The checker of the invariants sees no stale flags.
# noticed by: ring_broken names each invariant
s/ || slot->len || slot->flags) {/ || slot->len) {/
