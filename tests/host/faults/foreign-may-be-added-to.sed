# The checker of the invariants does not mind a foreign page that is written to.
# noticed by: ring_broken names each invariant
s/return "OWN";/continue;/
